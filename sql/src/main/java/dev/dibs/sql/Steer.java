package dev.dibs.sql;

import dev.dibs.Pause;
import dev.dibs.Request;
import dev.dibs.Retention;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.Optional;
import java.util.UUID;

/**
 * Pauses and resumes queues and kinds, says how long a queue keeps what has ended, and asks workers
 * to drain.
 *
 * <p>Each is one call of a function of the schema, which compares and sets, writes the audit, and
 * rings for what may be claimed again: one transaction, on a connection in auto-commit. Index:
 * primary keys, and task_held to count what runs. Locks: the one row, which is waited for.
 * Thread-safe.
 */
public final class Steer {
  /** What is paused and resumed. */
  public enum What {
    QUEUE,
    KIND
  }

  /**
   * What came of a pause or its end.
   *
   * @param result done or stale
   * @param pause how it stands now: who came second sees what the first said
   * @param running how many of its tasks still run, counted to 10,000
   * @param message why nothing was changed; else empty
   */
  public record Switched(String result, Optional<Pause> pause, int running, String message) {}

  /**
   * What came of asking a worker, or of another wish.
   *
   * @param result done, stale, missing or refused
   * @param running how many tasks the worker holds
   */
  public record Steered(String result, int running, String message) {}

  static final String ASKED = "why => ?, request => ?, actor => ?, source => ?)";

  private final Schema schema;

  public Steer(Schema schema) {
    this.schema = schema;
  }

  public Switched pause(Connection connection, What what, String name, Request request)
      throws SQLException {
    return change(connection, what == What.QUEUE ? "pause_queue" : "pause_kind", name, request);
  }

  public Switched resume(Connection connection, What what, String name, Request request)
      throws SQLException {
    return change(connection, what == What.QUEUE ? "resume_queue" : "resume_kind", name, request);
  }

  private Switched change(Connection connection, String function, String name, Request request)
      throws SQLException {
    String sql = "select * from \"%s\".%s(?, ".formatted(schema.name(), function) + ASKED;
    try (var statement = connection.prepareStatement(sql)) {
      statement.setString(1, name);
      ask(statement, 2, request);
      try (var rows = statement.executeQuery()) {
        rows.next();
        return new Switched(rows.getString(1), pause(rows, 2), rows.getInt(5), rows.getString(6));
      }
    }
  }

  static Optional<Pause> pause(ResultSet row, int first) throws SQLException {
    OffsetDateTime at = row.getObject(first, OffsetDateTime.class);
    if (at == null) return Optional.empty();
    return Optional.of(
        new Pause(
            at.toInstant(),
            ShownRow.text(row.getString(first + 1)),
            ShownRow.text(row.getString(first + 2))));
  }

  /** Keeps what has ended for so long, from now on; what is kept longer now is deleted soon. */
  public void retain(Connection connection, String queue, Retention retention, Request request)
      throws SQLException {
    String micros = "? * interval '1 microsecond', ";
    String sql =
        "select \"%s\".retain_queue(?, ".formatted(schema.name()) + micros.repeat(3) + ASKED;
    try (var statement = connection.prepareStatement(sql)) {
      statement.setString(1, queue);
      set(statement, 2, retention);
      ask(statement, 5, request);
      statement.executeQuery().close();
    }
  }

  /** The same if the queue keeps what was seen; answers done or stale, and then what it keeps. */
  public Steered retainIfAsSeen(
      Connection connection, String queue, Retention seen, Retention wanted, Request request)
      throws SQLException {
    String micros = "? * interval '1 microsecond', ";
    String sql =
        "select * from \"%s\".retain_queue_as_seen(?, ".formatted(schema.name())
            + micros.repeat(6)
            + ASKED;
    try (var statement = connection.prepareStatement(sql)) {
      statement.setString(1, queue);
      set(statement, 2, wanted);
      set(statement, 5, seen);
      ask(statement, 8, request);
      try (var rows = statement.executeQuery()) {
        rows.next();
        return new Steered(rows.getString(1), 0, rows.getString(2));
      }
    }
  }

  private static void set(PreparedStatement statement, int first, Retention retention)
      throws SQLException {
    statement.setLong(first, Time.micros(retention.succeeded()));
    statement.setLong(first + 1, Time.micros(retention.dead()));
    statement.setLong(first + 2, Time.micros(retention.cancelled()));
  }

  /** Asks a process to take no more tasks; it hears at its next beat. */
  public Steered drain(Connection connection, UUID worker, Request request) throws SQLException {
    return steer(connection, "drain_worker", worker, request);
  }

  /** Asks it to take them again. */
  public Steered undrain(Connection connection, UUID worker, Request request) throws SQLException {
    return steer(connection, "undrain_worker", worker, request);
  }

  private Steered steer(Connection connection, String function, UUID worker, Request request)
      throws SQLException {
    String sql = "select * from \"%s\".%s(?, ".formatted(schema.name(), function) + ASKED;
    try (var statement = connection.prepareStatement(sql)) {
      statement.setObject(1, worker);
      ask(statement, 2, request);
      try (var rows = statement.executeQuery()) {
        rows.next();
        return new Steered(rows.getString(1), rows.getInt(2), rows.getString(3));
      }
    }
  }

  static void ask(PreparedStatement statement, int first, Request request) throws SQLException {
    statement.setString(first, request.why());
    statement.setObject(first + 1, request.id());
    statement.setString(first + 2, request.actor());
    statement.setString(first + 3, request.source());
  }
}
