package dev.dibs.sql;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Reads who keeps the server from tidying up: sessions, prepared transactions, slots and standbys.
 * Reads views in shared memory, no table.
 */
public final class CheckSessions {
  /** A session that does nothing within a transaction, or a transaction that was prepared. */
  public record Idle(String who, Duration age) {}

  /**
   * The sessions that idle in a transaction of this database, the longest first, ten at the most.
   *
   * @param hidden how many sessions show this role nothing of what they do
   */
  public record Idlers(List<Idle> idlers, long hidden) {
    public Idlers {
      idlers = List.copyOf(idlers);
    }
  }

  /**
   * A replication slot.
   *
   * @param xmin how many transactions ago the oldest row that it needs was seen
   * @param bytes of WAL that it keeps
   */
  public record Slot(String name, boolean active, Optional<Long> xmin, long bytes) {}

  /**
   * A standby as its primary sees it.
   *
   * @param syncState empty where this role is not shown it
   */
  public record Standby(String name, String syncState, Optional<Duration> lag) {}

  private static final String IDLERS =
      """
      select 'process ' || pid || ' (' || coalesce(nullif(application_name, ''), 'unnamed') || coalesce(' of ' || usename, '') || ')',
        extract(epoch from clock_timestamp() - state_change)::float8
      from pg_stat_activity
      where state like 'idle in transaction%' and datname = current_database() and pid <> pg_backend_pid()
      order by state_change limit 10\
      """;

  private static final String HIDDEN =
      """
      select count(*) from pg_stat_activity
      where state is null and backend_type is null and datname = current_database()\
      """;

  private static final String PREPARED =
      """
      select gid || ' of ' || owner, extract(epoch from clock_timestamp() - prepared)::float8 from pg_prepared_xacts
      where database = current_database() order by prepared limit 10\
      """;

  private static final String SLOTS =
      """
      select slot_name, active, age(xmin)::bigint,
        pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, restart_lsn)::bigint
      from pg_replication_slots order by 3 desc nulls last, 4 desc nulls last limit 10\
      """;

  private static final String STANDBYS =
      """
      select coalesce(nullif(application_name, ''), 'process ' || pid), sync_state, extract(epoch from greatest(replay_lag,
        case when replay_lsn is distinct from pg_current_wal_lsn() then clock_timestamp() - reply_time end))::float8 as lag
      from pg_stat_replication order by lag desc nulls last limit 100\
      """;

  private static final String BEHIND =
      """
      select case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
        else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 end\
      """;

  private CheckSessions() {}

  public static Idlers idlers(Connection connection) throws SQLException {
    List<Idle> idlers = idle(connection, IDLERS);
    return new Idlers(idlers, Rows.one(connection, HIDDEN, row -> row.getLong(1)));
  }

  /** The prepared transactions of this database, the oldest first, ten at the most. */
  public static List<Idle> prepared(Connection connection) throws SQLException {
    return idle(connection, PREPARED);
  }

  private static List<Idle> idle(Connection connection, String sql) throws SQLException {
    return Rows.list(
        connection,
        sql,
        row -> new Idle(Rows.text(row, 1), Rows.seconds(row, 2).orElse(Duration.ZERO)));
  }

  /** The slots, those first that hold back most, ten at the most. */
  public static List<Slot> slots(Connection connection) throws SQLException {
    return Rows.list(
        connection,
        SLOTS,
        row -> {
          long xmin = row.getLong(3);
          Optional<Long> held = row.wasNull() ? Optional.empty() : Optional.of(xmin);
          return new Slot(Rows.text(row, 1), row.getBoolean(2), held, row.getLong(4));
        });
  }

  public static List<Standby> standbys(Connection connection) throws SQLException {
    return Rows.list(
        connection,
        STANDBYS,
        row -> new Standby(Rows.text(row, 1), Rows.text(row, 2), Rows.seconds(row, 3)));
  }

  /** The names that commits wait for; empty: they wait for none. */
  public static String synchronousStandbys(Connection connection) throws SQLException {
    return Rows.one(
        connection,
        "select current_setting('synchronous_standby_names')",
        row -> Rows.text(row, 1));
  }

  /** How far this standby is behind, where it knows. */
  public static Optional<Duration> behind(Connection connection) throws SQLException {
    return Rows.one(connection, BEHIND, row -> Rows.seconds(row, 1));
  }
}
