package dev.dibs.worker;

import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Codec;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.Priority;
import dev.dibs.Task;
import dev.dibs.producer.Producer;
import dev.dibs.sql.Exchange;
import dev.dibs.sql.FinishTask;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class TaskRunnerTest {
  private static final ThreadFactory THREADS = Thread.ofVirtual().factory();

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final Queue<Integer> ran = new ConcurrentLinkedQueue<>();
  private final CountDownLatch wayOut = new CountDownLatch(1);
  private final Membership membership = new Membership(ofMinutes(5));
  private final Ledger ledger;

  TaskRunnerTest() {
    membership.renewed(UUID.randomUUID(), System.nanoTime());
    ledger = new Ledger(Map.of("q", 8), Set.of("k"), membership, ofSeconds(50), 3);
  }

  @AfterEach
  void drop() {
    wayOut.countDown();
    producer.close();
    db.close();
  }

  private TaskRunner runner(ThreadFactory threads) {
    Handlers handlers = new Handlers();
    handlers.handle(
        Kind.json("k"),
        (number, run) -> {
          ran.add(Integer.valueOf(number.text()));
          if (number.text().equals("7")) wayOut.await();
          return Outcome.done();
        });
    return new TaskRunner(
        new HandlerCalls(
            handlers,
            new TaskTransactions(
                db.dataSource(),
                new FinishTask(Schema.DEFAULT),
                producer,
                new WorkerMeters(new SimpleMeterRegistry())),
            Codec.jackson()),
        ledger,
        new WorkerMeters(new SimpleMeterRegistry()),
        new RunTimer(ofMinutes(1)),
        threads);
  }

  private static Task task(int number) {
    return new Task(
        new Task.Hold(UUID.randomUUID(), UUID.randomUUID()),
        new Task.Lane("q", Priority.NORMAL),
        "k",
        new Task.Tries(1, 0, 0, 25),
        new Task.Content(new Json(String.valueOf(number)).text(), ""),
        new Task.Timing(Duration.ZERO, Optional.empty()));
  }

  private List<Task> returned(Task... tasks) throws InterruptedException {
    Trip trip = Objects.requireNonNull(ledger.awaitTrip());
    return ledger.returned(trip, new Exchange.Result(List.of(tasks), Map.of(), Set.of()));
  }

  private List<String> labels() throws InterruptedException {
    return Objects.requireNonNull(ledger.awaitTrip()).runs().stream()
        .map(FinishedRun::label)
        .sorted()
        .toList();
  }

  @Test
  void aTaskThatCannotBeStarted_isGivenBackAndTheRestOfItsClaimRuns() throws Exception {
    var starts = new AtomicInteger();
    TaskRunner runner =
        runner(run -> {
          if (starts.incrementAndGet() == 2) throw new OutOfMemoryError("simulated");
          return THREADS.newThread(run);
        });
    List<Task> claim = returned(task(1), task(2), task(3));
    runner.startAll(() -> claim);
    await().atMost(ofSeconds(5)).until(() -> ledger.unwritten() == 3);
    assertThat(ran).containsExactlyInAnyOrder(1, 3);
    assertThat(labels()).containsExactly("released", "succeeded", "succeeded");
    assertThat(ledger.running()).isZero();
  }

  /**
   * The ledger gives a slot; everybody is told to stop; only then is the run entered. It was missed
   * by whoever told, and went on in the name of a process that had lost it.
   */
  @Test
  void aRunThatIsEnteredAfterAllWereToldToStop_isToldToo() throws Exception {
    TaskRunner runner = runner(THREADS);
    List<Task> claim = returned(task(7));
    runner.startAll(() -> {
      runner.stopAll(RunningTask.Stop.LEASE_LOST);
      return claim;
    });
    await().atMost(ofSeconds(5)).until(() -> ledger.unwritten() == 1);
    assertThat(labels()).containsExactly("released");
    assertThat(ran).isEmpty();
  }

  @Test
  void aRunThatGotItsSlotFromAnother_isToldToStopWithAll() throws Exception {
    TaskRunner runner = runner(THREADS);
    List<Task> claim = returned(task(7));
    runner.startAll(() -> claim);
    await().atMost(ofSeconds(5)).until(() -> ran.size() == 1);
    runner.stopAll(RunningTask.Stop.SHUTDOWN);
    await().atMost(ofSeconds(5)).until(() -> ledger.unwritten() == 1);
    assertThat(labels()).containsExactly("released");
  }
}
