package dev.dibs.worker;

import dev.dibs.Outcome;
import dev.dibs.Task;
import dev.dibs.sql.Exchange;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the ledger costs a task: its end is booked, the next one is taken from the buffer, and with
 * every batch a trip departs and returns full. The database and the handlers are left out, and so
 * is the strife for the lock: one thread does it all.
 */
@NullMarked
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class LedgerBenchmark {
  private static final int CONCURRENCY = 64;
  private static final long RUN_NANOS = 10_000;

  private final ArrayDeque<Task> running = new ArrayDeque<>();
  private final List<Task> waiting = Tasks.of(QueueSlots.LARGEST_CLAIM);
  private final Ledger ledger = ledger();

  private static Ledger ledger() {
    var membership = new Membership(Duration.ofDays(1));
    membership.renewed(UUID.randomUUID(), System.nanoTime());
    return new Ledger(
        Map.of(Tasks.QUEUE, CONCURRENCY), Set.of(Tasks.KIND), membership, Duration.ofSeconds(1), 3);
  }

  /** One task from its end to the start of another. */
  @Benchmark
  public @Nullable Task finishAndTakeTheNext() throws InterruptedException {
    Task task = running.poll();
    if (task == null) task = taken();
    Task next = ledger.finished(task, FinishedRun.of(task, Outcome.done(), null), RUN_NANOS);
    if (next != null) running.add(next);
    return next;
  }

  /** Everything has ended, so a trip departs at once and brings as much as it has room for. */
  private Task taken() throws InterruptedException {
    Trip trip = ledger.awaitTrip();
    if (trip == null) throw new IllegalStateException("the ledger is closed");
    int room = trip.claim().rooms().getOrDefault(Tasks.QUEUE, 0);
    var brought = new Exchange.Result(waiting.subList(0, room), Map.of(), Set.of());
    running.addAll(ledger.returned(trip, brought));
    return running.remove();
  }
}
