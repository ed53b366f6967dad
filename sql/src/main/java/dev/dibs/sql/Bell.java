package dev.dibs.sql;

import dev.dibs.Task;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Tells listening workers that queues have work: NOTIFY with the queue's name and nothing else. And
 * that a run was cut off: NOTIFY with the hold it had.
 *
 * <p>The two cannot be mistaken for each other: a queue's name holds no control characters, and the
 * other form begins with one. A worker that does not know it takes it for a queue it does not
 * serve. Inside a transaction either is heard when that commits; commits that notify wait for each
 * other. Thread-safe.
 */
public final class Bell {
  private static final Pattern CUT_OFF = Pattern.compile("\u0001cancelled (\\S{36}) (\\S{36})");

  private static final String TOGETHER = "select pg_notify(?, said) from unnest(?::text[]) said";

  private static final String ALONE =
      "select pg_notify(?, said), set_config('synchronous_commit', 'off', true) from unnest(?::text[]) said";

  private final Schema schema;

  public Bell(Schema schema) {
    this.schema = schema;
  }

  /** Rings for {@code queues}, in the transaction of {@code connection}. */
  public void ring(Connection connection, Collection<String> queues) throws SQLException {
    if (!queues.isEmpty()) send(connection, TOGETHER, queues);
  }

  /**
   * Rings for {@code queues} in a transaction of its own, on a connection that commits by itself.
   * That waits for no disk: a crash forgets the bell in any case.
   */
  public void ringAlone(Connection connection, Collection<String> queues) throws SQLException {
    if (!queues.isEmpty()) send(connection, ALONE, queues);
  }

  /** Tells that {@code run} was cut off: its task was cancelled. */
  public void ringCancelled(Connection connection, Task.Hold run) throws SQLException {
    send(connection, TOGETHER, List.of("\u0001cancelled " + run.id() + " " + run.lease()));
  }

  /** The run that {@code heard} says was cut off; empty where it is a queue's name. */
  public static Optional<Task.Hold> cancelled(String heard) {
    Matcher matcher = CUT_OFF.matcher(heard);
    if (!matcher.matches()) return Optional.empty();
    try {
      return Optional.of(
          new Task.Hold(UUID.fromString(matcher.group(1)), UUID.fromString(matcher.group(2))));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // anybody may notify anything
    }
  }

  private void send(Connection connection, String sql, Collection<String> payloads)
      throws SQLException {
    try (var statement = connection.prepareStatement(sql)) {
      statement.setString(1, schema.channel());
      statement.setArray(2, connection.createArrayOf("text", payloads.toArray()));
      statement.executeQuery().close();
    }
  }

  /** Starts to listen on {@code connection}, for as long as it is open. */
  public void listen(Connection connection) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute("listen \"" + schema.channel() + "\"");
    }
  }
}
