package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Priority;
import dev.dibs.Task;
import dev.dibs.TaskStatus;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class CancelTaskTest {
  private final CancelTask cancel = new CancelTask(Schema.DEFAULT);
  private final Exchange exchange = new Exchange(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connectReadCommitted();

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  private UUID insert() throws SQLException {
    return insert(Kind.json("mail").task(new Json("{}")).queue("q"));
  }

  private UUID insert(NewTask<Json> task) throws SQLException {
    var row = new InsertTasks.Row(task.id(), "mail", "{}", null, task.options());
    new InsertTasks(Schema.DEFAULT).insert(connection, List.of(row));
    return task.id();
  }

  private Task claim() throws SQLException {
    var lane = new Exchange.LaneRoom(new Task.Lane("q", Priority.NORMAL), 0, 1);
    var claim =
        new Exchange.Claim(
            UUID.randomUUID(), UUID.randomUUID(), List.of(lane), Map.of("q", 1), Set.of("mail"));
    return exchange.run(connection, Exchange.Outcomes.NONE, claim).claimed().getFirst();
  }

  private static Exchange.Claim nothing() {
    return new Exchange.Claim(
        UUID.randomUUID(), UUID.randomUUID(), List.of(), Map.of(), Set.of("mail"));
  }

  private static Exchange.Outcomes succeeded(Task task) {
    return new Exchange.Outcomes(
        List.of(new Exchange.Ended(task.hold(), TaskStatus.SUCCEEDED, null)), List.of());
  }

  @Test
  void cancel_endsWhatWaits() throws SQLException {
    UUID ready = insert();
    UUID later =
        insert(Kind.json("mail").task(new Json("{}")).queue("q").delay(Duration.ofHours(1)));
    assertThat(cancel.cancel(connection, ready, "not wanted"))
        .contains(new CancelTask.Found(TaskStatus.PENDING, Optional.empty()));
    assertThat(cancel.cancel(connection, later, "nor that"))
        .contains(new CancelTask.Found(TaskStatus.SCHEDULED, Optional.empty()));
    assertThat(db.finished("CANCELLED")).isEqualTo(2);
    assertThat(
            db.value("select errors -> 0 ->> 'message' from dibs.task_history where id = ?", ready))
        .isEqualTo("not wanted");
    assertThat(db.number("select count(*) from dibs.task")).isZero();
  }

  @Test
  void cancel_ofARunningTaskVoidsItsLeaseAndTheStateStaysCancelled() throws SQLException {
    UUID id = insert();
    Task task = claim();
    assertThat(cancel.cancel(connection, id, "stop it"))
        .contains(new CancelTask.Found(TaskStatus.PROCESSING, Optional.of(task.hold())));
    assertThat(exchange.run(connection, succeeded(task), nothing()).refused()).containsExactly(id);
    assertThat(new FinishTask(Schema.DEFAULT).finishIfHeld(connection, task.hold())).isFalse();
    assertThat(db.finished("CANCELLED")).isEqualTo(1);
    assertThat(db.finished("SUCCEEDED")).isZero();
    assertThat(db.value("select lease from dibs.task_history")).isNull();
  }

  @Test
  void cancel_changesNothingOfWhatHasEnded() throws SQLException {
    UUID id = insert();
    exchange.run(connection, succeeded(claim()), nothing());
    assertThat(cancel.cancel(connection, id, "too late"))
        .contains(new CancelTask.Found(TaskStatus.SUCCEEDED, Optional.empty()));
    assertThat(cancel.cancel(connection, UUID.randomUUID(), "never heard of")).isEmpty();
    assertThat(db.finished("SUCCEEDED")).isEqualTo(1);
    assertThat(db.finished("CANCELLED")).isZero();
  }

  @Test
  void cancel_thatMeetsAnOutcomeUnderWay_findsWhatItLeft() throws Exception {
    UUID id = insert();
    Task task = claim();
    try (Connection theirs = db.connectReadCommitted()) {
      theirs.setAutoCommit(false);
      exchange.run(theirs, succeeded(task), nothing());
      var found = CompletableFuture.supplyAsync(() -> cancelOn(connection, id));
      awaitLock();
      theirs.commit();
      assertThat(found.join())
          .contains(new CancelTask.Found(TaskStatus.SUCCEEDED, Optional.empty()));
    }
    assertThat(db.finished("CANCELLED")).isZero();
  }

  @Test
  void cancel_thatMeetsARetryUnderWay_endsTheTaskAsThatLeftIt() throws Exception {
    UUID id = insert();
    Task task = claim();
    try (Connection theirs = db.connectReadCommitted()) {
      theirs.setAutoCommit(false);
      var retry = new Exchange.Again(task.hold(), Duration.ZERO, true, null);
      exchange.run(theirs, new Exchange.Outcomes(List.of(), List.of(retry)), nothing());
      var found = CompletableFuture.supplyAsync(() -> cancelOn(connection, id));
      awaitLock();
      theirs.commit();
      assertThat(found.join()).contains(new CancelTask.Found(TaskStatus.PENDING, Optional.empty()));
    }
    assertThat(db.number("select failures from dibs.task_history where status = 'CANCELLED'"))
        .isEqualTo(1);
  }

  @Test
  void cancel_inAStrictTransactionThatWasOvertakenSaysSo() throws Exception {
    UUID id = insert();
    Task task = claim();
    try (Connection strict = db.connect()) {
      strict.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      strict.setAutoCommit(false);
      strict.createStatement().executeQuery("select count(*) from dibs.task").close();
      exchange.run(connection, succeeded(task), nothing());
      assertThatThrownBy(() -> cancelOn(strict, id))
          .isInstanceOf(CompletionException.class)
          .cause()
          .satisfies(e -> assertThat(((SQLException) e).getSQLState()).isEqualTo("40001"));
      strict.rollback();
    }
    assertThat(db.finished("SUCCEEDED")).isEqualTo(1);
  }

  private Optional<CancelTask.Found> cancelOn(Connection on, UUID id) {
    try {
      return cancel.cancel(on, id, "why");
    } catch (SQLException e) {
      throw new CompletionException(e);
    }
  }

  private void awaitLock() {
    await()
        .until(() ->
            db.number(
                    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                == 1);
  }

  @Test
  void bell_tellsCancellationsFromQueues() {
    var run = new Task.Hold(UUID.randomUUID(), UUID.randomUUID());
    String said = "\u0001cancelled " + run.id() + " " + run.lease();
    assertThat(Bell.cancelled(said)).contains(run);
    for (String queue :
        List.of("", "mail", "cancelled " + run.id() + " " + run.lease(), said + "x", "\u0001"))
      assertThat(Bell.cancelled(queue)).as(queue).isEmpty();
    assertThat(Bell.cancelled("\u0001cancelled " + "x".repeat(36) + " " + "y".repeat(36)))
        .isEmpty();
  }
}
