package dev.dibs.worker;

import dev.dibs.DatabaseException;
import dev.dibs.Pause;
import dev.dibs.sql.WorkerRows;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps this process's row alive, and fences the process when it could not.
 *
 * <p>Fencing means: claim nothing, give back what was not started, interrupt what runs, then
 * register under a new id. A resumed zombie so learns within a beat that others may have its tasks;
 * what it still writes, its leases refuse. Runs on its own thread and connection.
 */
final class Heartbeat {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

  /** Who is told what the beats bring. Called on the heartbeat's threads. */
  interface Told {
    /** Others may have what this process holds. */
    void fenced();

    /** Somebody asked that this process takes no more tasks, or that it takes them again. */
    void drains(boolean drains);

    /** These workers are dead or seem so; an empty list most of the time. */
    void suspects(List<WorkerRows.Sign> suspects);
  }

  private final Link link;
  private final WorkerRows rows;
  private final WorkerRows.Announcement announcement;
  private final WorkerSettings settings;
  private final Membership membership;
  private final Told told;
  private final SilenceWatch watch;
  private boolean fenced;
  private volatile boolean draining;

  /** Who asked this process to take no more tasks; of the heartbeat's thread. */
  private Optional<Pause> asked = Optional.empty();

  Heartbeat(
      Link link,
      WorkerRows rows,
      WorkerRows.Announcement announcement,
      WorkerSettings settings,
      Membership membership,
      Told told) {
    this.link = link;
    this.rows = rows;
    this.announcement = announcement;
    this.settings = settings;
    this.membership = membership;
    this.told = told;
    this.watch = new SilenceWatch(settings.lease());
  }

  /** Registers this process under a new id. */
  void register() throws SQLException {
    UUID worker = UUID.randomUUID();
    long sentAt = System.nanoTime();
    link.use(connection -> {
      rows.register(connection, worker, announcement, settings.lease());
      asked.ifPresent(drain -> rows.inherit(connection, worker, drain));
      return worker;
    });
    membership.renewed(worker, sentAt);
    synchronized (this) {
      fenced = false; // the next silence is another one, also if nobody looks before it
    }
  }

  /**
   * Says that this process takes no more tasks, now and at every beat to come. May be called from
   * any thread.
   */
  void drain() {
    draining = true;
    try {
      link.use(connection -> {
        rows.drain(connection, membership.worker());
        return true;
      });
    } catch (SQLException e) {
      LOG.debug(
          "that the worker is draining is said at the next beat: {}", DatabaseException.reason(e));
    }
  }

  private boolean beat(Connection connection, UUID worker) {
    WorkerRows.Beat beat = rows.beatIfLive(connection, worker, settings.lease());
    told.suspects(watch.suspects(beat.signs()));
    if (beat.accepted()) hear(connection, worker, beat.drain());
    return beat.accepted();
  }

  /** Does what an operator asked for, and says in the row that it is done. */
  private void hear(Connection connection, UUID worker, Optional<Pause> drain) {
    boolean isNews = drain.isPresent() != asked.isPresent();
    asked = drain;
    if (isNews) {
      told.drains(drain.isPresent());
      if (drain.isEmpty() && !draining) rows.undrain(connection, worker);
    }
    if (drain.isPresent() || draining) rows.drain(connection, worker);
  }

  /** Beats until stopped. */
  void beatUntil(CountDownLatch stopped) throws InterruptedException {
    long pause = settings.beatInterval().toNanos();
    while (!stopped.await(pause, TimeUnit.NANOSECONDS)) {
      boolean answered = beat();
      pause = answered ? settings.beatInterval().toNanos() : settings.beatInterval().toNanos() / 3;
    }
  }

  /**
   * Renews the row, or fences this process and registers anew; false if the database did not
   * answer.
   */
  private boolean beat() {
    try {
      long sentAt = System.nanoTime();
      UUID worker = membership.worker();
      boolean live = link.use(connection -> beat(connection, worker));
      if (live && membership.isHeld(System.nanoTime())) {
        membership.renewed(worker, sentAt);
        return true;
      }
      LOG.warn(
          "worker {} {}: what it runs may be in other hands; registering anew",
          worker,
          live ? "was silent for too long" : "was declared dead");
      membership.ended();
      told.fenced();
      if (live) link.use(connection -> rows.removeIfIdle(connection, worker));
      register();
      return true;
    } catch (SQLException e) {
      watch.startOver();
      fenceIfSilentTooLong();
      return false;
    }
  }

  /** Fences this process in time though a beat should hang; runs on a thread of its own. */
  void watchUntil(CountDownLatch stopped) throws InterruptedException {
    long pause = settings.beatInterval().toNanos() / 2;
    while (!stopped.await(pause, TimeUnit.NANOSECONDS)) fenceIfSilentTooLong();
  }

  /** Fences this process once its last beat is too old. */
  private synchronized void fenceIfSilentTooLong() {
    if (membership.isHeld(System.nanoTime())) {
      fenced = false;
    } else if (!fenced) {
      fenced = true;
      LOG.warn(
          "no beat of worker {} was accepted for too long: claiming stops, handlers are interrupted",
          membership.worker());
      told.fenced();
    }
  }
}
