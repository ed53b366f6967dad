package dev.dibs.worker;

import dev.dibs.DatabaseException;
import dev.dibs.sql.PromoteTasks;
import dev.dibs.sql.WorkerRows;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What every process does for all: promote tasks that are due, let schedules tick, rescue the tasks
 * of dead workers, and take the duties whose time has come. Runs on its own thread and connection.
 */
final class DutyLoop {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final int PROMOTED_AT_ONCE = 1_000;
  private static final Duration DUTIES_EVERY = Duration.ofMinutes(1);
  private static final int LEASES_PER_LOOK = 4;

  /** Who inserts a task for later and rings no bell has it found within so long. */
  private static final Duration DUE_LOOKED_FOR_EVERY = Duration.ofSeconds(20);

  /** Where no tick is known to come; the look for due tasks tells of one that was added. */
  private static final Duration NO_TICK = Duration.ofDays(1);

  private static final Duration AWHILE = Duration.ofSeconds(1);
  private static final double JITTER = 0.2;

  private final Link link;
  private final PromoteTasks promote;
  private final DutyRoster roster;
  private final Rescuer rescuer;
  private final ExchangeRecovery recovery;
  private final WorkerSettings settings;
  private final Complaints complaints = new Complaints();
  private final AtomicLong promoteAt = new AtomicLong(System.nanoTime());
  private final AtomicReference<List<WorkerRows.Sign>> suspects = new AtomicReference<>(List.of());
  private volatile long promotedAt = System.nanoTime();
  private long tickAt = System.nanoTime();
  private long lookBackAt = System.nanoTime();
  private long dutiesAt = System.nanoTime();
  private volatile @Nullable Thread thread;

  DutyLoop(
      Link link,
      PromoteTasks promote,
      DutyRoster roster,
      Rescuer rescuer,
      ExchangeRecovery recovery,
      WorkerSettings settings) {
    this.link = link;
    this.promote = promote;
    this.roster = roster;
    this.rescuer = rescuer;
    this.recovery = recovery;
    this.settings = settings;
  }

  /**
   * A task will be due {@code after} from now: do not promote later than that. Called by any
   * thread.
   */
  void dueAfter(Duration after) {
    promoteNoLaterThan(System.nanoTime() + after.toNanos());
  }

  /**
   * A bell rang: there may be tasks for later that nobody here knows of. Looks for them, at most
   * once a poll interval. Called by any thread.
   */
  void lookForDue() {
    promoteNoLaterThan(promotedAt + settings.pollInterval().toNanos());
  }

  /** These workers are dead or seem so. Called by any thread. */
  void suspect(List<WorkerRows.Sign> seen) {
    suspects.set(seen);
    Thread sleeper = thread;
    if (!seen.isEmpty() && sleeper != null) LockSupport.unpark(sleeper);
  }

  private void promoteNoLaterThan(long at) {
    long before = promoteAt.getAndUpdate(planned -> at - planned < 0 ? at : planned);
    Thread sleeper = thread;
    if (at - before < 0 && sleeper != null) LockSupport.unpark(sleeper);
  }

  /** Does what is due until stopped. */
  void runUntil(CountDownLatch stopped) throws InterruptedException {
    thread = Thread.currentThread();
    Duration beat = settings.beatInterval();
    Duration pause = beat.compareTo(AWHILE) < 0 ? beat : AWHILE;
    while (stopped.getCount() > 0) {
      // Apart from each other: what fails for ever must not keep the rest from being done.
      // And only what asks something: who asks nothing cannot say that the database answers.
      boolean promoted = !isDue(promoteAt.get()) || isDone(this::promote);
      boolean ticked = !isDue(tickAt) || isDone(this::tick);
      boolean rescued = suspects.get().isEmpty() || isDone(this::rescue);
      boolean lookedBack = !isLookBackDue() || isDone(this::lookBack);
      boolean done = !isDue(dutiesAt) || isDone(this::doDuties);
      if (!(promoted && ticked && rescued && lookedBack && done)
          && stopped.await(Backoff.jittered(pause, JITTER).toNanos(), TimeUnit.NANOSECONDS)) return;
      LockSupport.parkNanos(this, Math.max(0, nanosUntilDue()));
      if (Thread.interrupted()) throw new InterruptedException();
    }
  }

  private long nanosUntilDue() {
    long now = System.nanoTime();
    long oftenest = Math.min(promoteAt.get() - now, tickAt - now);
    return Math.min(oftenest, Math.min(lookBackAt - now, dutiesAt - now));
  }

  private boolean isDone(Link.Work<Boolean> duty) {
    try {
      return link.use(duty);
    } catch (SQLException e) {
      if (!Link.isBroken(e) && complaints.isNews("duty", e))
        LOG.warn("a duty failed and is tried again: {}", DatabaseException.reason(e));
      return false;
    }
  }

  private static boolean isDue(long at) {
    return at - System.nanoTime() <= 0;
  }

  private boolean tick(Connection connection) throws SQLException {
    Duration wait = roster.tick(connection, NO_TICK);
    tickAt = System.nanoTime() + wait.toNanos();
    return true;
  }

  private boolean rescue(Connection connection) throws SQLException {
    rescuer.rescueTasksOf(suspects.getAndSet(List.of()), connection);
    return true;
  }

  private boolean isLookBackDue() {
    if (!isDue(lookBackAt)) return false;
    lookBackAt = later(settings.beatInterval());
    return recovery.hasToLook(settings.beatInterval())
        || roster.isVacuumDue(recovery.ledger().written());
  }

  private boolean lookBack(Connection connection) throws SQLException {
    recovery.readBack(connection);
    recovery.lookAtHolds(connection, settings.beatInterval());
    roster.vacuumIfDue(connection, recovery.ledger().written());
    return true;
  }

  private boolean doDuties(Connection connection) throws SQLException {
    Duration leases = settings.lease().multipliedBy(LEASES_PER_LOOK);
    dutiesAt = later(leases.compareTo(DUTIES_EVERY) < 0 ? leases : DUTIES_EVERY);
    roster.doDuties(connection);
    return true;
  }

  /** Promotes what is due; looks again when the next is due, and now and then in any case. */
  private boolean promote(Connection connection) throws SQLException {
    promoteAt.set(later(DUE_LOOKED_FOR_EVERY));
    promotedAt = System.nanoTime();
    PromoteTasks.Promoted promoted;
    try {
      promoted = promote.promote(connection, PROMOTED_AT_ONCE);
    } catch (SQLException | RuntimeException e) {
      dueAfter(AWHILE);
      throw e;
    }
    promoted.queues().forEach(recovery.ledger()::ring);
    if (promoted.tasks() == PROMOTED_AT_ONCE) dueAfter(Duration.ZERO);
    promoted.nextDue().ifPresent(this::dueAfter);
    promoted.nextTick().ifPresent(this::tickAfter);
    return true;
  }

  private void tickAfter(Duration wait) {
    long at = System.nanoTime() + wait.toNanos();
    if (at - tickAt < 0) tickAt = at;
  }

  private static long later(Duration after) {
    return System.nanoTime() + Backoff.jittered(after, JITTER).toNanos();
  }
}
