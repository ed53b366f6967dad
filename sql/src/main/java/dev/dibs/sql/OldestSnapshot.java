package dev.dibs.sql;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds who keeps dead rows of the live table from being removed: the session, replication slot or
 * prepared transaction of this database with the oldest transaction id.
 *
 * <p>Reads views in shared memory, no table. A role without pg_read_all_stats sees of the sessions
 * of others their pid, application name and user, but neither since when their transaction is open
 * nor what they do. Thread-safe.
 */
public final class OldestSnapshot {
  /**
   * Who holds it.
   *
   * @param who a session, a replication slot or a prepared transaction, as an operator knows it
   * @param xid the oldest transaction id it needs: while that is the same, so is the snapshot
   * @param age how long its transaction has been open; empty where that is not known or not shown
   */
  public record Holder(String who, long xid, Optional<Duration> age) {}

  /**
   * What a look found.
   *
   * @param holder empty: nobody holds anything
   * @param deadRows of the live table that are not yet removed, as far as the server counted them
   */
  public record Look(Optional<Holder> holder, long deadRows) {}

  /** What a vacuum itself needs holds up no other; its own session is never meant. */
  private static final String LOOK =
      """
      select who, xid::text::bigint, seconds, pg_stat_get_dead_tuples(to_regclass(?)) from (select) nothing
      left join (
        select who, xid, seconds from (
          select 'process ' || pid || ' (' || coalesce(nullif(application_name, ''), 'unnamed')
              || coalesce(' of ' || usename, '') || coalesce(', ' || coalesce(state, backend_type), '') || ')' as who,
            case when backend_xmin is null or age(backend_xid) > age(backend_xmin) then backend_xid
              else backend_xmin end as xid,
            extract(epoch from clock_timestamp() - xact_start)::float8 as seconds
          from pg_stat_activity
          where (backend_xmin is not null or backend_xid is not null) and pid <> pg_backend_pid()
            and (datname is null or datname = current_database())
            and pid not in (select pid from pg_stat_progress_vacuum)
          union all
          select 'replication slot ' || slot_name, xmin, null from pg_replication_slots where xmin is not null
          union all
          select 'prepared transaction ' || gid, transaction,
            extract(epoch from clock_timestamp() - prepared)::float8
          from pg_prepared_xacts where database = current_database()
        ) s
        order by age(xid) desc limit 1) oldest on true\
      """;

  private final String table;

  public OldestSnapshot(Schema schema) {
    this.table = "\"%s\".task".formatted(schema.name());
  }

  /** Looks once. */
  public Look look(Connection connection) throws SQLException {
    try (var statement = connection.prepareStatement(LOOK)) {
      statement.setString(1, table);
      try (var row = statement.executeQuery()) {
        row.next();
        @Nullable String who = row.getString(1);
        long xid = row.getLong(2);
        double seconds = row.getDouble(3);
        Optional<Duration> age =
            row.wasNull()
                ? Optional.empty()
                : Optional.of(Duration.ofMillis(Math.max(0, (long) (seconds * 1e3))));
        long deadRows = row.getLong(4);
        return new Look(
            who == null ? Optional.empty() : Optional.of(new Holder(who, xid, age)), deadRows);
      }
    }
  }
}
