package dev.dibs.sql;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Lists schedules as the role viewer may see them: what their tasks carry stays unseen, and what
 * this build would not understand is shown all the same. Reads the small table as a whole, up to
 * {@link #MOST} rows. Locks nothing. Thread-safe.
 */
public final class ListSchedules {
  public static final int MOST = 1_000;

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

  /** When it came and comes, and the last task it made. */
  public record Ticks(Instant next, Optional<Instant> last, Optional<UUID> lastTask) {}

  private final String list;

  public ListSchedules(Schema schema) {
    this.list =
        """
        select name, coalesce(cron || ' ' || coalesce(zone, 'UTC'), 'every ' || every::text), queue, kind,
          next_tick_at, last_tick_at, last_task_id,
          case when paused_at is not null then 'paused by ' || coalesce(paused_by, '?') || ': ' || coalesce(paused_why, '') end
        from "%s".schedule order by name limit %d\
        """
            .formatted(schema.name(), MOST);
  }

  /** The schedules, by name. */
  public List<Row> list(Connection connection) throws SQLException {
    try (var statement = connection.prepareStatement(list);
        var row = statement.executeQuery()) {
      List<Row> rows = new ArrayList<>();
      while (row.next()) rows.add(read(row));
      return rows;
    }
  }

  private static Row read(ResultSet row) throws SQLException {
    var ticks =
        new Ticks(
            row.getObject(5, OffsetDateTime.class).toInstant(),
            Optional.ofNullable(row.getObject(6, OffsetDateTime.class))
                .map(OffsetDateTime::toInstant),
            Optional.ofNullable(row.getObject(7, UUID.class)));
    return new Row(
        row.getString(1),
        row.getString(2),
        row.getString(3),
        row.getString(4),
        ticks,
        Optional.ofNullable(row.getString(8)));
  }
}
