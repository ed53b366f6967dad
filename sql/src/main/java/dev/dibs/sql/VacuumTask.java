package dev.dibs.sql;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;

/**
 * Vacuums the live table, which autovacuum looks at once a minute only.
 *
 * <p>Locks: SHARE UPDATE EXCLUSIVE on task, for which it does not wait. Must run outside a
 * transaction. Thread-safe.
 */
public final class VacuumTask {
  /**
   * What keeps dead rows from being removed.
   *
   * @param who a session, a replication slot or a prepared transaction, as an operator knows it
   * @param age how long the session's transaction has been open; zero where that is not known
   */
  public record Snapshot(String who, Duration age) {}

  /**
   * What a vacuum left.
   *
   * @param deadRows that somebody may still see, or all of them if another was at it
   * @param oldest the oldest snapshot, if there are any dead rows
   */
  public record Left(long deadRows, Optional<Snapshot> oldest) {}

  private static final String STANDING =
      """
      select case when pg_has_role(relowner, 'USAGE') then true
          when current_setting('server_version_num')::int >= 170000 then has_table_privilege(oid, 'MAINTAIN')
          else false end,
        pg_relation_size(oid), pg_stat_get_dead_tuples(oid)
      from pg_class where oid = to_regclass(?)\
      """;

  private static final String OLDEST =
      """
      select who, seconds from (
        select 'process ' || pid || ' (' || coalesce(nullif(application_name, ''), 'unnamed') || ', '
            || coalesce(state, backend_type) || ')' as who,
          extract(epoch from clock_timestamp() - xact_start)::float8 as seconds, age(backend_xmin) as old
        from pg_stat_activity where backend_xmin is not null and pid <> pg_backend_pid()
        union all
        select 'replication slot ' || slot_name, null, age(xmin) from pg_replication_slots where xmin is not null
        union all
        select 'prepared transaction ' || gid, extract(epoch from clock_timestamp() - prepared)::float8,
          age(transaction)
        from pg_prepared_xacts) s
      order by old desc limit 1\
      """;

  private record Standing(boolean allowed, long bytes, long deadRows) {}

  private final String table;

  public VacuumTask(Schema schema) {
    this.table = "\"%s\".task".formatted(schema.name());
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
    return Optional.of(new Left(deadRows, deadRows == 0 ? Optional.empty() : oldest(connection)));
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

  private static Optional<Snapshot> oldest(Connection connection) throws SQLException {
    try (var statement = connection.createStatement();
        var row = statement.executeQuery(OLDEST)) {
      return row.next()
          ? Optional.of(
              new Snapshot(row.getString(1), Duration.ofMillis((long) (row.getDouble(2) * 1e3))))
          : Optional.empty();
    }
  }
}
