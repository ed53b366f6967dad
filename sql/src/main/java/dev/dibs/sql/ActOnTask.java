package dev.dibs.sql;

import dev.dibs.Priority;
import dev.dibs.Request;
import dev.dibs.TaskStatus;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Does to one task what somebody asks for by hand, if the task is as it was seen.
 *
 * <p>Each is one call of a function of the schema, which compares and sets, writes the audit, and
 * rings for what became ready: one transaction, on a connection in auto-commit. Index: primary key,
 * task_history_id. Locks: the one row, which is waited for. Thread-safe.
 */
public final class ActOnTask {
  /** What a task was seen as: the action is a compare-and-set on all of it. */
  public record Seen(UUID id, TaskStatus status, int attempt) {}

  /**
   * What came of it.
   *
   * @param result done, stale, missing or refused
   * @param cameTo the task that it came to: a copy has an id of its own
   * @param message why not; else empty
   */
  public record Came(String result, UUID cameTo, String message) {}

  private final Schema schema;

  public ActOnTask(Schema schema) {
    this.schema = schema;
  }

  /**
   * Lets a task run again that ended, {@code delay} from now, or now one that waits for its time.
   */
  public Came retry(Connection connection, Seen seen, Duration delay, Request request)
      throws SQLException {
    return call(
        connection,
        "retry_task",
        seen,
        request,
        "? * interval '1 microsecond'",
        Time.micros(delay));
  }

  public Came cancel(Connection connection, Seen seen, Request request) throws SQLException {
    return call(connection, "cancel_task", seen, request, "", null);
  }

  public Came delete(Connection connection, Seen seen, Request request) throws SQLException {
    return call(connection, "delete_task", seen, request, "", null);
  }

  public Came move(Connection connection, Seen seen, String queue, Request request)
      throws SQLException {
    return call(connection, "move_task", seen, request, "?", queue);
  }

  public Came prioritise(Connection connection, Seen seen, Priority priority, Request request)
      throws SQLException {
    return call(connection, "prioritise_task", seen, request, "?", (int) priority.level());
  }

  public Came reschedule(Connection connection, Seen seen, Instant runAt, Request request)
      throws SQLException {
    return call(connection, "reschedule_task", seen, request, "?", runAt.atOffset(ZoneOffset.UTC));
  }

  private Came call(
      Connection connection,
      String function,
      Seen seen,
      Request request,
      String mark,
      @Nullable Object argument)
      throws SQLException {
    String sql =
        "select * from \"%s\".%s(?, ?, ?, %s request => ?, actor => ?, source => ?, why => ?)"
            .formatted(schema.name(), function, mark.isEmpty() ? "" : mark + ",");
    try (var statement = connection.prepareStatement(sql)) {
      int n = 1;
      statement.setObject(n++, seen.id());
      statement.setString(n++, seen.status().name());
      statement.setInt(n++, seen.attempt());
      if (argument != null) statement.setObject(n++, argument);
      statement.setObject(n++, request.id());
      statement.setString(n++, request.actor());
      statement.setString(n++, request.source());
      statement.setString(n, request.why());
      try (var rows = statement.executeQuery()) {
        rows.next();
        return new Came(rows.getString(1), rows.getObject(2, UUID.class), rows.getString(3));
      }
    }
  }

  /**
   * What a task carries, as JSON, where an earlier transaction has put this request into the audit;
   * else this one does. Empty: so it was, or there is none.
   */
  public Optional<String> revealIfAudited(Connection connection, UUID id, Request request)
      throws SQLException {
    String sql =
        "select \"%s\".reveal_task(?, request => ?, actor => ?, source => ?, why => ?)"
            .formatted(schema.name());
    try (var statement = connection.prepareStatement(sql)) {
      statement.setObject(1, id);
      statement.setObject(2, request.id());
      statement.setString(3, request.actor());
      statement.setString(4, request.source());
      statement.setString(5, request.why());
      try (var rows = statement.executeQuery()) {
        rows.next();
        return Optional.ofNullable(rows.getString(1));
      }
    }
  }
}
