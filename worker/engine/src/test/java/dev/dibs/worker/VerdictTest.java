package dev.dibs.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.Priority;
import dev.dibs.Task;
import dev.dibs.producer.Producer;
import dev.dibs.sql.CancelTask;
import dev.dibs.sql.Exchange;
import dev.dibs.sql.FinishTask;
import dev.dibs.sql.ReadBack;
import dev.dibs.sql.RescueTasks;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What was behind a refusal, read back from what the database shows. */
@Timeout(30)
class VerdictTest {
  private static final UUID WORKER = UUID.randomUUID();
  private static final Outcome RETRY = Outcome.retry(Duration.ZERO, "no");
  private static final Outcome SNOOZE = Outcome.snooze(Duration.ZERO);

  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connect();
  private final Producer producer = Producer.on(db.dataSource());
  private final Exchange exchange = new Exchange(Schema.DEFAULT);
  private final ReadBack readBack = new ReadBack(Schema.DEFAULT);

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    producer.close();
    db.close();
  }

  private Task claimed() throws SQLException {
    producer.enqueue(Kind.json("k").task(new Json("1")).queue("q"));
    return claim();
  }

  private Task claim() throws SQLException {
    var lane = new Exchange.LaneRoom(new Task.Lane("q", Priority.NORMAL), 0, 1);
    var claim =
        new Exchange.Claim(WORKER, UUID.randomUUID(), List.of(lane), Map.of("q", 1), Set.of("k"));
    return exchange.run(connection, Exchange.Outcomes.NONE, claim).claimed().getFirst();
  }

  private static FinishedRun run(Task task, Outcome outcome) {
    return FinishedRun.of(task, outcome, null);
  }

  /** Writes the outcome; answers whether it was refused. */
  private boolean isRefused(FinishedRun run) throws SQLException {
    var nothing = new Exchange.Claim(WORKER, UUID.randomUUID(), List.of(), Map.of(), Set.of("k"));
    return !exchange.run(connection, Trip.outcomes(List.of(run)), nothing).refused().isEmpty();
  }

  /** The outcome is written a second time, as after an exchange without an answer, and judged. */
  private Verdict verdict(FinishedRun run) throws SQLException {
    assertThat(isRefused(run)).isTrue();
    var traces = readBack.traces(connection, List.of(run.task().hold()));
    return Verdict.on(run, Objects.requireNonNull(traces.get(run.task().id())));
  }

  private void rescue() throws SQLException {
    new RescueTasks(Schema.DEFAULT).rescue(connection, WORKER, "h", 3, 10);
  }

  @Test
  void anEndingThatHadBeenApplied_isWritten() throws SQLException {
    FinishedRun done = run(claimed(), Outcome.done());
    assertThat(isRefused(done)).isFalse();
    assertThat(verdict(done)).isEqualTo(Verdict.WRITTEN);
  }

  @Test
  void aRetryOrSnoozeThatHadBeenApplied_isWritten() throws SQLException {
    for (Outcome outcome : List.of(RETRY, SNOOZE, Outcome.retry(Duration.ofHours(1), "no"))) {
      FinishedRun again = run(claimed(), outcome);
      assertThat(isRefused(again)).isFalse();
      assertThat(verdict(again)).as(outcome.toString()).isEqualTo(Verdict.WRITTEN);
      db.execute("delete from dibs.task");
    }
  }

  @Test
  void aRetryThatHadBeenApplied_isWrittenThoughALaterAttemptRunsOrHasEnded() throws SQLException {
    FinishedRun again = run(claimed(), RETRY);
    assertThat(isRefused(again)).isFalse();
    Task later = claim();
    assertThat(verdict(again)).isEqualTo(Verdict.WRITTEN);
    assertThat(isRefused(run(later, Outcome.done()))).isFalse();
    assertThat(verdict(again)).isEqualTo(Verdict.WRITTEN);
  }

  @Test
  void anOutcomeOfARunWhoseTaskWasRescued_isRefused() throws SQLException {
    for (Outcome outcome : List.of(Outcome.done(), RETRY, SNOOZE)) {
      FinishedRun lost = run(claimed(), outcome);
      rescue();
      assertThat(verdict(lost)).as("waits again, " + outcome).isEqualTo(Verdict.REFUSED);
      Task successor = claim();
      assertThat(verdict(lost)).as("runs elsewhere, " + outcome).isEqualTo(Verdict.REFUSED);
      assertThat(isRefused(run(successor, Outcome.done()))).isFalse();
      assertThat(verdict(lost)).as("ended elsewhere, " + outcome).isEqualTo(Verdict.REFUSED);
    }
  }

  @Test
  void aTaskThatItsRunCompletedInATransactionWithoutAnswer_isCompleted() throws SQLException {
    Task task = claimed();
    assertThat(new FinishTask(Schema.DEFAULT).finishIfHeld(connection, task.hold())).isTrue();
    assertThat(verdict(run(task, RETRY))).isEqualTo(Verdict.COMPLETED);
  }

  @Test
  void aTaskThatWasCancelledWhileItRan_isCancelled() throws SQLException {
    for (Outcome outcome : List.of(Outcome.done(), RETRY, SNOOZE)) {
      Task task = claimed();
      new CancelTask(Schema.DEFAULT).cancel(connection, task.id(), "no");
      assertThat(verdict(run(task, outcome))).as(outcome.toString()).isEqualTo(Verdict.CANCELLED);
    }
  }

  @Test
  void whatLeavesNoTraces_staysUnknown() throws SQLException {
    db.execute("insert into dibs.queue (name, retention) values ('q', '0')");
    FinishedRun done = run(claimed(), Outcome.done());
    assertThat(isRefused(done)).isFalse();
    assertThat(verdict(done)).isEqualTo(Verdict.UNKNOWN);
  }
}
