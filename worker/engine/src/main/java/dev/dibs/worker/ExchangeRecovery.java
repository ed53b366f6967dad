package dev.dibs.worker;

import dev.dibs.Task;
import dev.dibs.sql.ReadBack;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out about claims whose exchange got no answer, and adopts their tasks.
 *
 * <p>Such a claim may commit after the connection broke, also a while later; its tasks would then
 * be held in the name of this living process and run by nobody. A claim commits as a whole under a
 * lease of its own, so it is looked for by that lease until it is found, or for an hour.
 * Thread-safe.
 */
final class ExchangeRecovery {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

  /**
   * Statements end in time, but a commit that waits for a synchronous standby waits for as long as
   * that is away, and its tasks show only then.
   */
  private static final Duration LOOKED_FOR = Duration.ofHours(1);

  /** Beyond so many doubts the oldest are given up. */
  private static final int MOST_DOUBTS = 256;

  private record Doubtful(UUID worker, UUID lease, long since) {}

  private final ReadBack readBack;
  private final Ledger ledger;
  private final TaskRunner runner;
  private final WorkerMeters meters;
  private final Queue<Doubtful> claims = new ConcurrentLinkedQueue<>();

  ExchangeRecovery(ReadBack readBack, Ledger ledger, TaskRunner runner, WorkerMeters meters) {
    this.readBack = readBack;
    this.ledger = ledger;
    this.runner = runner;
    this.meters = meters;
  }

  Ledger ledger() {
    return ledger;
  }

  /** The trip got no answer; its claim may have been committed. */
  void doubt(Trip trip) {
    if (!trip.claims()) return;
    claims.add(new Doubtful(trip.claim().worker(), trip.claim().lease(), trip.departedAt()));
    if (claims.size() > MOST_DOUBTS) claims.poll();
  }

  /** Whether there is a doubtful claim, or a run that lasts for longer than {@code beat}. */
  boolean hasToLook(Duration beat) {
    return !claims.isEmpty() || !runsLongerThan(beat).isEmpty();
  }

  private List<RunningTask> runsLongerThan(Duration beat) {
    return runner.runningSince(System.nanoTime() - beat.toNanos());
  }

  /** Looks for the doubtful claims. */
  void readBack(Connection connection) throws SQLException {
    for (Iterator<Doubtful> each = claims.iterator(); each.hasNext(); ) {
      Doubtful claim = each.next();
      List<Task> tasks = readBack.claimedBy(connection, claim.worker(), claim.lease());
      boolean tooOld = System.nanoTime() - claim.since() > LOOKED_FOR.toNanos();
      if (!tasks.isEmpty() || tooOld) each.remove();
      if (tasks.isEmpty()) continue;
      LOG.info("{} tasks of a claim that got no answer were found", tasks.size());
      runner.startAll(() -> ledger.adopt(claim.worker(), tasks));
      meters.adopted(tasks);
    }
  }

  /**
   * Looks whether the runs that last still hold their tasks, and tells those that do not: who was
   * cancelled while nobody heard the notification. One statement however many run, none where
   * nothing runs for longer than {@code beat}.
   */
  void lookAtHolds(Connection connection, Duration beat) throws SQLException {
    List<RunningTask> runs = runsLongerThan(beat);
    if (runs.isEmpty()) return;
    Map<Task.Hold, Boolean> gone =
        readBack.gone(connection, runs.stream().map(run -> run.task().hold()).toList());
    for (RunningTask run : runs) {
      @Nullable Boolean cancelled = gone.get(run.task().hold());
      if (cancelled != null) runner.lost(run, cancelled);
    }
  }

  /**
   * What was behind it that the outcomes {@code refused} were refused, by run: two runs of a task
   * may be on one trip, and only one of them was.
   */
  Map<Task.Hold, Verdict> verdicts(Connection connection, List<FinishedRun> refused)
      throws SQLException {
    Map<UUID, ReadBack.Traces> traces =
        readBack.traces(connection, refused.stream().map(run -> run.task().hold()).toList());
    Map<Task.Hold, Verdict> verdicts = new HashMap<>();
    for (FinishedRun run : refused) {
      ReadBack.@Nullable Traces seen = traces.get(run.task().id());
      verdicts.put(run.task().hold(), seen == null ? Verdict.UNKNOWN : Verdict.on(run, seen));
    }
    return verdicts;
  }
}
