package dev.dibs.worker;

import dev.dibs.DatabaseException;
import dev.dibs.Task;
import dev.dibs.sql.Exchange;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.postgresql.util.PSQLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the trips: writes outcomes, claims tasks, hands them to the runner. Each loop has a thread
 * and a connection.
 */
final class ExchangeLoop {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(4);
  private static final Set<String> TRANSIENT = Set.of("40001", "40P01");
  private static final String NOT_CONNECTED = "08001";
  private static final double JITTER = 0.3;

  /** What holds up so many outcomes in a row, one by one, holds up all. */
  private static final int HOLDS_UP_ALL = 2;

  private final Link link;
  private final Exchange exchange;
  private final Ledger ledger;
  private final TaskRunner runner;
  private final ExchangeRecovery recovery;
  private final WorkerMeters meters;
  private final Consumer<Duration> dueAfter;
  private final Complaints complaints;

  /**
   * A loop.
   *
   * @param dueAfter hears how soon a task comes again that was written as a retry or a snooze
   */
  ExchangeLoop(
      Link link,
      Exchange exchange,
      Ledger ledger,
      TaskRunner runner,
      ExchangeRecovery recovery,
      WorkerMeters meters,
      Consumer<Duration> dueAfter,
      Complaints complaints) {
    this.dueAfter = dueAfter;
    this.complaints = complaints;
    this.link = link;
    this.exchange = exchange;
    this.ledger = ledger;
    this.runner = runner;
    this.recovery = recovery;
    this.meters = meters;
  }

  /** Makes trips until the ledger is closed and everything is written. */
  void runUntil(CountDownLatch stopped) throws InterruptedException {
    Duration pause = FIRST_PAUSE;
    for (Trip trip = ledger.awaitTrip(); trip != null; trip = ledger.awaitTrip()) {
      if (make(trip)) {
        pause = FIRST_PAUSE;
        continue;
      }
      long nanos = Backoff.jittered(pause, JITTER).toNanos();
      if (stopped.await(nanos, TimeUnit.NANOSECONDS)) return;
      if (pause.compareTo(LONGEST_PAUSE) < 0) pause = pause.multipliedBy(2);
    }
  }

  /** Makes one trip; false if the database could not answer and a pause is due. */
  private boolean make(Trip trip) {
    Exchange.Result result;
    try {
      result = send(trip);
    } catch (SQLException e) {
      if (!Link.isBroken(e) && !isTransient(e)) return makeApart(trip, e);
      ledger.failed(trip);
      return isTransient(e);
    }
    settle(trip, result);
    return true;
  }

  private Exchange.Result send(Trip trip) throws SQLException {
    try {
      return link.use(connection -> exchange.run(connection, trip.outcomes(), trip.claim()));
    } catch (SQLException e) {
      if (!wasUndone(e)) recovery.doubt(trip);
      throw e;
    } catch (RuntimeException | Error e) {
      recovery.doubt(trip);
      ledger.failed(trip);
      throw e;
    }
  }

  /**
   * What the server refuses it undoes. The driver may break off over an answer that was committed
   * already, when memory runs out for one.
   */
  private static boolean wasUndone(SQLException e) {
    return NOT_CONNECTED.equals(e.getSQLState())
        || (e instanceof PSQLException refused
            && refused.getServerErrorMessage() != null
            && !String.valueOf(e.getSQLState()).startsWith("57P"));
  }

  private static boolean isTransient(SQLException e) {
    return e.getSQLState() != null && TRANSIENT.contains(e.getSQLState());
  }

  private void settle(Trip trip, Exchange.Result result) {
    runner.startAll(() -> ledger.returned(trip, result));
    meters.claimed(result.claimed(), trip, result.below());
    trip.runs().stream()
        .flatMap(run -> run.delay().stream())
        .min(Duration::compareTo)
        .ifPresent(dueAfter);
    account(trip.runs(), result.refused());
  }

  /** Counts what became of each outcome, and says which were refused. */
  private void account(List<FinishedRun> runs, Set<UUID> refused) {
    Map<Task.Hold, Verdict> verdicts = verdicts(runs, refused);
    for (FinishedRun run : runs) {
      Verdict verdict = verdicts.getOrDefault(run.task().hold(), Verdict.WRITTEN);
      switch (verdict) {
        case WRITTEN -> {
          meters.finished(run);
          if (run.isDeath()) sayDeath(run.task());
        }
        case COMPLETED -> meters.completed(run.task());
        case CANCELLED -> {
          say("task {} was cancelled before its outcome {} was written", run);
          meters.cancelled(run.task());
        }
        case REFUSED -> {
          LOG.warn(
              "task {} was in other hands when its run ended: the outcome {} was refused",
              run.task().id(),
              run.label());
          meters.refused(run);
        }
        case UNKNOWN -> {
          say("whether task {} had the outcome {} before it was refused is unknown", run);
          meters.unknown(run);
        }
      }
    }
  }

  /** What was thrown is with the task: logs are for all to read, and it may quote the payload. */
  private void sayDeath(Task task) {
    if (complaints.isNews("death of " + task.kind(), System.nanoTime()))
      LOG.warn(
          "task {} of kind {} in queue {} is DEAD after {} attempts, its errors are with it; further ones of this kind are not said for a minute",
          task.id(),
          task.kind(),
          task.queue(),
          task.tries().attempt());
  }

  private static void say(String message, FinishedRun run) {
    LOG.info(message, run.task().id(), run.label());
  }

  private Map<Task.Hold, Verdict> verdicts(List<FinishedRun> runs, Set<UUID> refused) {
    if (refused.isEmpty()) return Map.of();
    List<FinishedRun> judged =
        runs.stream().filter(run -> refused.contains(run.task().id())).toList();
    try {
      return link.use(connection -> recovery.verdicts(connection, judged));
    } catch (SQLException e) {
      return judged.stream()
          .map(run -> run.task().hold())
          .distinct()
          .collect(Collectors.toMap(hold -> hold, hold -> Verdict.UNKNOWN));
    }
  }

  /**
   * The exchange failed as a whole: one bad row must not block the others, so each part goes by
   * itself.
   */
  private boolean makeApart(Trip trip, SQLException cause) {
    if (trip.runs().size() == 1 && !trip.claims() && isSlow(cause)) {
      ledger.heldUp(trip.runs().getFirst());
      ledger.failed(trip.with(List.of()));
      return false;
    }
    if (complaints.isNews("exchange", cause))
      LOG.warn(
          "an exchange failed, its {} outcomes are written one by one: {}",
          trip.runs().size(),
          DatabaseException.reason(cause));
    var ahead = new ArrayDeque<>(trip.runs());
    boolean written = true;
    int heldUp = 0;
    try {
      while (!ahead.isEmpty()) {
        FinishedRun run = ahead.element();
        Write write = write(run, trip);
        if (write == Write.REFUSED) {
          ledger.write(run);
          written = false;
        } else if (write == Write.HELD_UP) {
          ledger.heldUp(run);
        }
        ahead.remove();
        heldUp = write == Write.HELD_UP ? heldUp + 1 : 0;
        if (heldUp == HOLDS_UP_ALL) {
          ledger.failed(trip.with(ahead));
          return false;
        }
      }
    } catch (SQLException e) {
      ledger.failed(trip.with(ahead));
      return false;
    } catch (RuntimeException | Error e) {
      ledger.failed(trip.with(ahead));
      throw e;
    }
    return claimAlone(trip.claimOnly()) && written;
  }

  private enum Write {
    DONE,
    /** Nothing is wrong with it, but something was in the way. */
    HELD_UP,
    REFUSED
  }

  /**
   * Writes one outcome, without its error if need be.
   *
   * @throws SQLException if the connection broke, which is no fault of the outcome
   */
  private Write write(FinishedRun run, Trip trip) throws SQLException {
    try {
      var outcomes = Trip.outcomes(List.of(run));
      Exchange.Result result =
          link.use(connection -> exchange.run(connection, outcomes, trip.noClaim()));
      account(List.of(run), result.refused());
      return Write.DONE;
    } catch (SQLException e) {
      if (Link.isBroken(e)) throw e;
      if (complaints.isNews("outcome", e))
        LOG.warn(
            "the outcome {} of task {} cannot be written: {}",
            run.label(),
            run.task().id(),
            DatabaseException.reason(e));
      if (isSlow(e)) return Write.HELD_UP;
      return run.hasError() ? write(run.withoutError(), trip) : Write.REFUSED;
    }
  }

  /** A lock was waited for too long, or somebody cancelled: nothing is wrong with the outcome. */
  private static boolean isSlow(SQLException e) {
    String state = String.valueOf(e.getSQLState());
    return state.startsWith("55") || state.startsWith("57") || TRANSIENT.contains(state);
  }

  private boolean claimAlone(Trip trip) {
    Exchange.Result result;
    try {
      result = send(trip);
    } catch (SQLException e) {
      ledger.failed(trip);
      if (complaints.isNews("claim", e))
        LOG.warn("tasks cannot be claimed: {}", DatabaseException.reason(e));
      return false;
    }
    settle(trip, result);
    return true;
  }
}
