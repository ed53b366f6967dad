package dev.dibs.sql;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Lists schedules as the role viewer may see them: what their tasks carry stays unseen, and what
 * this build would not understand is shown all the same. Index: primary key, in its order. Locks
 * nothing. Thread-safe.
 */
public final class ListSchedules {
  /**
   * A schedule.
   *
   * @param rhythm as cron, with its zone, or as an interval
   * @param paused by whom and why
   */
  public record Row(
      String name,
      String rhythm,
      String queue,
      String kind,
      Ticks ticks,
      Optional<String> paused) {}

  /**
   * When it came and comes, and the last task it made.
   *
   * @param zone of its clock
   */
  public record Ticks(Instant next, Optional<Instant> last, Optional<UUID> lastTask, String zone) {}

  private final String list;
  private final String find;

  public ListSchedules(Schema schema) {
    String columns =
        """
        select name, coalesce(cron || ' ' || coalesce(zone, 'UTC'), 'every ' || every::text), queue, kind,
          next_tick_at, last_tick_at, last_task_id,
          case when paused_at is not null then 'paused by ' || coalesce(paused_by, '?') || ': ' || coalesce(paused_why, '') end, zone
        from "%s".schedule\
        """
            .formatted(schema.name());
    this.list = columns + " where name > ? and starts_with(name, ?) order by name limit ?";
    this.find = columns + " where name = ?";
  }

  /**
   * A page of the schedules, by name.
   *
   * @param prefix of their names; empty: all
   * @param after the name that the page before ended with; empty: the first page
   */
  public List<Row> list(Connection connection, String prefix, String after, int size)
      throws SQLException {
    return Rows.list(connection, list, ListSchedules::read, after, prefix, size);
  }

  public Optional<Row> find(Connection connection, String name) throws SQLException {
    return Rows.list(connection, find, ListSchedules::read, name).stream().findFirst();
  }

  private static Row read(ResultSet row) throws SQLException {
    var ticks =
        new Ticks(
            row.getObject(5, OffsetDateTime.class).toInstant(),
            Optional.ofNullable(row.getObject(6, OffsetDateTime.class))
                .map(OffsetDateTime::toInstant),
            Optional.ofNullable(row.getObject(7, UUID.class)),
            row.getString(9));
    return new Row(
        row.getString(1),
        row.getString(2),
        row.getString(3),
        row.getString(4),
        ticks,
        Optional.ofNullable(row.getString(8)));
  }
}
