package dev.dibs.sql;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Reads how the tables are kept, from the catalogue and the statistics: needs no right to any, but
 * usage of the schema.
 */
public final class CheckTables {
  /**
   * The live table.
   *
   * @param options its storage options, such as {@code autovacuum_enabled=off}
   * @param vacuumed when it was last vacuumed, by whomever
   */
  public record Live(List<String> options, long rows, long deadRows, Optional<Instant> vacuumed) {
    public Live {
      options = List.copyOf(options);
    }
  }

  private final String live;
  private final String missing;
  private final String overdue;
  private final String inDefault;

  public CheckTables(Schema schema) {
    String table = "to_regclass('\"" + schema.name() + "\".%s')";
    this.live =
        """
        select array_to_string(c.reloptions, ','), pg_stat_get_live_tuples(c.oid), pg_stat_get_dead_tuples(c.oid),
          greatest(pg_stat_get_last_autovacuum_time(c.oid), pg_stat_get_last_vacuum_time(c.oid))
        from pg_class c where c.oid = %s\
        """
            .formatted(table.formatted("task"));
    String days =
        """
        from (select right(c.relname, 8) as day from pg_inherits i join pg_class c on c.oid = i.inhrelid
          where i.inhparent = %s and c.relname ~ '^task_history_[0-9]{8}$') p\
        """
            .formatted(table.formatted("task_history"));
    this.missing =
        """
        select to_char(d.day, 'YYYY-MM-DD')
        from (select (statement_timestamp() at time zone 'UTC')::date + n as day from generate_series(0, 2) n) d
        where not exists (select %s where p.day = to_char(d.day, 'YYYYMMDD')) order by 1\
        """
            .formatted(days);
    this.overdue =
        """
        select p.day %s where to_date(p.day, 'YYYYMMDD') + 3 < (statement_timestamp() at time zone 'UTC'
          - greatest((select max(retention) from "%s".queue), interval '7 days'))::date order by 1 limit 10\
        """
            .formatted(days, schema.name());
    this.inDefault =
        "select coalesce(pg_stat_get_live_tuples(%s), 0)"
            .formatted(table.formatted("task_history_default"));
  }

  public Live live(Connection connection) throws SQLException {
    return Rows.one(
        connection,
        live,
        row ->
            new Live(
                List.of(Rows.text(row, 1).split(",", -1)),
                row.getLong(2),
                row.getLong(3),
                Rows.instant(row, 4)));
  }

  /** Days from today to the day after tomorrow, in UTC, for which history has no partition. */
  public List<String> missingDays(Connection connection) throws SQLException {
    return Rows.list(connection, missing, row -> Rows.text(row, 1));
  }

  /** Days that every retention passed days ago and that are still there, ten at the most. */
  public List<String> overdueDays(Connection connection) throws SQLException {
    return Rows.list(connection, overdue, row -> Rows.text(row, 1));
  }

  /** Rows that no day's partition took, as far as the server counted them. */
  public long rowsInDefault(Connection connection) throws SQLException {
    return Rows.one(connection, inDefault, row -> row.getLong(1));
  }
}
