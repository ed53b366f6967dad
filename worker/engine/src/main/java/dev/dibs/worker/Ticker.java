package dev.dibs.worker;

import dev.dibs.DatabaseException;
import dev.dibs.Misfire;
import dev.dibs.NewTask;
import dev.dibs.Overlap;
import dev.dibs.sql.Bell;
import dev.dibs.sql.TickSchedules;
import dev.dibs.sql.TickSchedules.Decision;
import dev.dibs.sql.TickSchedules.Next;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets schedules tick whose time has come. Every process does this; none leads. Which ticks run is
 * decided here, by the database's time; whether they do, by the statement, which takes one
 * process's word only. Runs on the duty thread alone.
 */
final class Ticker {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final int LOOKED_AT = 100;

  /**
   * Until a schedule is tried again that this build does not understand, or the database refused.
   */
  private static final Duration TRIED_AGAIN = Duration.ofMinutes(1);

  private final TickSchedules schedules;
  private final Bell bell;
  private final WorkerMeters meters;
  private final Link link;
  private final Complaints complaints = new Complaints();

  Ticker(TickSchedules schedules, Bell bell, WorkerMeters meters, Link link) {
    this.schedules = schedules;
    this.bell = bell;
    this.meters = meters;
    this.link = link;
  }

  /**
   * Lets tick what is due.
   *
   * @return how long until the next tick, as far as it is known; {@code atMost} if none is
   */
  Duration tick(Connection connection, Duration atMost) throws SQLException {
    List<Next> upNext = schedules.look(connection, LOOKED_AT);
    Set<String> queues = new HashSet<>();
    Duration wait = atMost;
    for (Next next : upNext) {
      Duration until =
          next.isDue() ? ticked(connection, next, queues) : Duration.between(next.now(), next.at());
      if (until.compareTo(wait) < 0) wait = until;
    }
    bell.ring(connection, queues);
    boolean mayBeMore = upNext.size() == LOOKED_AT && upNext.getLast().isDue();
    return mayBeMore ? Duration.ZERO : wait;
  }

  /** One schedule that cannot tick must not keep the others from it. */
  private Duration ticked(Connection connection, Next next, Set<String> queues)
      throws SQLException {
    try {
      Decision decision = decide(next);
      TickSchedules.Ticked ticked = schedules.tickIfDue(connection, next, decision);
      link.step(connection);
      if (ticked.tasks() > 0) queues.add(ticked.queue());
      meters.enqueued(ticked.queue(), ticked.kind(), ticked.tasks());
      if (ticked.moved()) tellIfMissed(next, ticked.tasks());
      return Duration.between(next.now(), decision.next());
    } catch (DateTimeException | IllegalArgumentException e) {
      complain(next, String.valueOf(e.getMessage()));
    } catch (SQLException e) {
      if (Link.isBroken(e)) throw e;
      link.stepBack(connection);
      complain(next, DatabaseException.reason(e));
    }
    return TRIED_AGAIN;
  }

  private static Decision decide(Next next) {
    TickSchedules.Rules rules = next.rules();
    var rhythm = rules.rhythm();
    List<Instant> runs = Misfire.parse(rules.misfire()).runs(rhythm, next.at(), next.now());
    if (rules.overlap() == Overlap.SKIP && runs.size() > 1) runs = List.of(runs.getLast());
    Instant last = rhythm.latest(next.at(), next.now(), 1).getFirst();
    return new Decision(
        runs.stream().map(at -> tick(at, rules.jitter())).toList(), last, rhythm.next(next.now()));
  }

  private static TickSchedules.Tick tick(Instant at, Duration jitter) {
    long later = jitter.isZero() ? 0 : ThreadLocalRandom.current().nextLong(jitter.toNanos());
    return new TickSchedules.Tick(at, NewTask.nextId(), at.plusNanos(later));
  }

  private static void tellIfMissed(Next next, int tasks) {
    if (next.at().isBefore(next.now().minus(Misfire.GRACE)))
      LOG.warn(
          "schedule '{}' missed its ticks since {}: {} tasks enqueued for them",
          next.seen().name(),
          next.at(),
          tasks);
  }

  private void complain(Next next, String why) {
    String name = next.seen().name();
    if (complaints.isNews(name, System.nanoTime()))
      LOG.warn("schedule '{}' cannot tick and is tried again: {}", name, why);
  }
}
