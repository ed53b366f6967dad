package dev.dibs.sql;

import dev.dibs.Landing;
import dev.dibs.Unique;
import dev.dibs.UniqueScope;
import dev.dibs.sql.InsertUniqueTasks.Landed;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Enqueues tasks, unique or not, by the function {@code enqueue_rows}: what {@link InsertTasks} and
 * {@link InsertUniqueTasks} do, for those who may not insert but call it.
 *
 * <p>Index and locks: as those two. One statement per call, whose answer is all or nothing also on
 * a connection that commits by itself. The function refuses payloads of more than 256 KiB, whatever
 * the producer's settings say. Thread-safe.
 */
public final class EnqueueTasks {
  /** The function's parameters, in their order. */
  private static final List<String> PARAMETERS =
      List.of(
          "ids",
          "queues",
          "kinds",
          "priorities",
          "maxAttempts",
          "payloads",
          "headers",
          "delays",
          "runAts",
          "timeouts",
          "uniqueKeys",
          "uniqueUntils",
          "windows",
          "onConflicts",
          "again");

  private final SqlText text;

  public EnqueueTasks(Schema schema) {
    String parameters = String.join(", ", Collections.nCopies(PARAMETERS.size(), "?"));
    this.text =
        new SqlText(
            "select id, stands, landing from \"%s\".enqueue_rows(%s)"
                .formatted(schema.name(), parameters),
            PARAMETERS);
  }

  /**
   * Enqueues in the transaction of {@code connection}, or, where that commits by itself, in one
   * commit.
   *
   * @param rows their keys worked out
   * @return what became of each, by its id
   * @throws SQLException of state 40001 and {@link Replication#UNKNOWN} as {@link
   *     InsertUniqueTasks#insert}
   */
  public Map<UUID, Landed> enqueue(Connection connection, List<InsertTasks.Row> rows)
      throws SQLException {
    return enqueue(connection, rows, false);
  }

  /**
   * As {@link #enqueue}, where the same rows may have been enqueued before: those whose tasks have
   * ended since are there already.
   */
  public Map<UUID, Landed> enqueueAgain(Connection connection, List<InsertTasks.Row> rows)
      throws SQLException {
    return enqueue(connection, rows, true);
  }

  private Map<UUID, Landed> enqueue(
      Connection connection, List<InsertTasks.Row> rows, boolean again) throws SQLException {
    Map<String, @Nullable Object> values = values(connection, rows);
    values.put("again", again);
    try (var statement = text.prepare(connection, values);
        var answer = statement.executeQuery()) {
      Map<UUID, Landed> landed = new HashMap<>();
      while (answer.next()) {
        landed.putIfAbsent(
            answer.getObject(1, UUID.class),
            new Landed(answer.getObject(2, UUID.class), Landing.valueOf(answer.getString(3))));
      }
      Replication.check(statement.getWarnings());
      return landed;
    }
  }

  private static Map<String, @Nullable Object> values(
      Connection connection, List<InsertTasks.Row> rows) throws SQLException {
    var arrays = new Arrays(connection);
    Map<String, @Nullable Object> values = InsertTasks.timedValues(connection, rows);
    values.put("uniqueKeys", arrays.text(rows, ofUnique(Unique::givenKey)));
    values.put("uniqueUntils", arrays.text(rows, ofUnique(EnqueueTasks::until)));
    values.put("windows", arrays.int8(rows, ofUnique(EnqueueTasks::window)));
    values.put("onConflicts", arrays.text(rows, ofUnique(unique -> unique.onConflict().text())));
    return values;
  }

  private static <T> Function<InsertTasks.Row, @Nullable T> ofUnique(
      Function<Unique, @Nullable T> column) {
    return row -> row.options().unique().map(column).orElse(null);
  }

  private static String until(Unique unique) {
    return unique.scope() instanceof UniqueScope.UntilStarted ? "started" : "finished";
  }

  private static @Nullable Long window(Unique unique) {
    return unique.scope() instanceof UniqueScope.Window(var length) ? Time.micros(length) : null;
  }
}
