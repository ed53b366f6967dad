package dev.dibs.sql;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;

/**
 * Vacuums the live table, which autovacuum looks at once a minute only.
 *
 * <p>Locks: SHARE UPDATE EXCLUSIVE on task, for which it does not wait. Must run outside a
 * transaction. Thread-safe.
 */
public final class VacuumTask {
  /**
   * What a vacuum left.
   *
   * @param deadRows that somebody may still see, or all of them if another was at it
   * @param oldest who holds the oldest snapshot, if there are any dead rows
   */
  public record Left(long deadRows, Optional<OldestSnapshot.Holder> oldest) {}

  private static final String STANDING =
      """
      select case when pg_has_role(relowner, 'USAGE') then true
          when current_setting('server_version_num')::int >= 170000 then has_table_privilege(oid, 'MAINTAIN')
          else false end,
        pg_relation_size(oid), pg_stat_get_dead_tuples(oid)
      from pg_class where oid = to_regclass(?)\
      """;

  private record Standing(boolean allowed, long bytes, long deadRows) {}

  private final String table;
  private final OldestSnapshot oldest;

  public VacuumTask(Schema schema) {
    this.table = "\"%s\".task".formatted(schema.name());
    this.oldest = new OldestSnapshot(schema);
  }

  /**
   * Vacuums, if the role may and the table has at most {@code mostBytes}; empty if it was not done.
   * Larger tables are left to autovacuum, which takes its time.
   */
  public Optional<Left> vacuum(Connection connection, long mostBytes) throws SQLException {
    Standing before = standing(connection);
    if (!before.allowed() || before.bytes() > mostBytes) return Optional.empty();
    try (var statement = connection.createStatement()) {
      statement.execute("vacuum (skip_locked, truncate false) " + table);
    }
    long deadRows = standing(connection).deadRows();
    return Optional.of(
        new Left(deadRows, deadRows == 0 ? Optional.empty() : oldest.look(connection).holder()));
  }

  private Standing standing(Connection connection) throws SQLException {
    try (var statement = connection.prepareStatement(STANDING)) {
      statement.setString(1, table);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? new Standing(row.getBoolean(1), row.getLong(2), row.getLong(3))
            : new Standing(false, 0, 0);
      }
    }
  }
}
