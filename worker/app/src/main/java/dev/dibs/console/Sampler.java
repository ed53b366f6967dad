package dev.dibs.console;

import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.operations.Doctor;
import dev.dibs.operations.Finding;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one that looks at the queues for all pages and tabs of a process: every five seconds or more
 * rarely, the longer a look takes; not at all while nobody watches. The lock guards all fields.
 * Thread-safe.
 */
final class Sampler implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Sampler.class);
  private static final Duration PAUSE = Duration.ofSeconds(5);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
  private static final int RESTS = 50;
  private static final Duration UNWATCHED = Duration.ofSeconds(60);
  private static final Duration FIRST = Duration.ofSeconds(3);
  private static final Duration DOCTOR_EVERY = Duration.ofSeconds(60);

  private final ConsoleDatabase database;
  private final boolean readOnly;
  private final InstantSource clock;
  private final QueueLook look;
  private final Doctor doctor;
  private final History history = new History();
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private @Nullable Sample latest;
  private @Nullable List<Finding> findings;
  private Instant examined = Instant.EPOCH;
  private boolean away;
  private long looks;
  private Instant watched;
  private boolean stopping;

  Sampler(ConsoleDatabase database, boolean readOnly, InstantSource clock) {
    this.database = database;
    this.readOnly = readOnly;
    this.clock = clock;
    this.look = new QueueLook(database, clock);
    this.doctor = Doctor.on(database.reads(), database.schema());
    this.watched = clock.instant();
    this.thread = Thread.ofVirtual().name("dibs-console-sampler").start(this::sampleUntilStopped);
  }

  /** The latest sample; waits a little for the first one. Empty: the database did not answer. */
  Optional<Sample> latest() {
    lock.lock();
    try {
      Duration unwatched = Duration.between(watched, clock.instant());
      watched = clock.instant();
      changed.signalAll();
      boolean stale = unwatched.compareTo(UNWATCHED) > 0;
      long wanted = latest == null || stale ? looks + 1 : looks;
      long patience = FIRST.toNanos();
      while (looks < wanted && patience > 0) patience = changed.awaitNanos(patience);
      return Optional.ofNullable(latest);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.ofNullable(latest);
    } finally {
      lock.unlock();
    }
  }

  /** A queue as the latest sample shows it; one that this left out is looked at now. */
  Optional<Sample.Queue> queue(String name) {
    Optional<Sample> sample = latest();
    Optional<Sample.Queue> seen = sample.flatMap(all -> all.queue(name));
    if (seen.isPresent() || sample.isEmpty() || sample.get().isWhole()) return seen;
    return look.one(name, sample.get().workers());
  }

  /** The measurements of the last quarter of an hour. */
  List<History.Point> history() {
    return history.points();
  }

  /** The doctor's findings of the last minute, or none yet. */
  Optional<List<Finding>> findings() {
    lock.lock();
    try {
      return Optional.ofNullable(findings);
    } finally {
      lock.unlock();
    }
  }

  /** What all pages say of the database, from memory. */
  Situation situation() {
    lock.lock();
    try {
      Sample seen = latest;
      boolean isReplica = seen != null && seen.whole().isReplica();
      return new Situation(
          database.label() + (seen == null ? "" : isReplica ? " (replica)" : " (primary)"),
          seen == null ? Duration.ZERO : Duration.between(seen.at(), seen.whole().now()),
          readOnlyBecause(isReplica),
          Optional.ofNullable(findings)
              .map(all -> (int) all.stream().filter(Finding::needsAttention).count()),
          away ? Optional.of(seen == null ? clock.instant() : seen.at()) : Optional.empty());
    } finally {
      lock.unlock();
    }
  }

  private Optional<String> readOnlyBecause(boolean isReplica) {
    if (readOnly) return Optional.of("the console was started so");
    return isReplica ? Optional.of("this database is a replica") : Optional.empty();
  }

  private void sampleUntilStopped() {
    try {
      while (!isStopping()) {
        await(look());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  /** A look that took long is not soon taken again. */
  private static Duration rest(Duration took) {
    Duration rest = took.multipliedBy(RESTS);
    if (rest.compareTo(PAUSE) < 0) return PAUSE;
    return rest.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : rest;
  }

  private boolean isStopping() {
    lock.lock();
    try {
      return stopping;
    } finally {
      lock.unlock();
    }
  }

  private void await(Duration rest) throws InterruptedException {
    lock.lock();
    try {
      long left = rest.toNanos();
      while (!stopping && left > 0) {
        left = Math.min(left, changed.awaitNanos(left)); // a signal is no end of the rest
      }
      while (!stopping && Duration.between(watched, clock.instant()).compareTo(UNWATCHED) > 0) {
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * How long to rest after it: by what the sample took, for the doctor comes more rarely anyway. A
   * database that is gone is asked again soon. Runs on the sampler's thread alone.
   */
  private Duration look() {
    Instant begun = clock.instant();
    try {
      Sample sample = look.sample();
      boolean isFirst = history.points().isEmpty(); // which pays for connections and plans
      Duration rest = isFirst ? PAUSE : rest(Duration.between(begun, clock.instant()));
      history.add(sample);
      publish(sample, examinedIfDue());
      return rest;
    } catch (SQLException | DibsException | org.jooq.exception.DataAccessException e) {
      publish(null, null);
      LOG.debug("no sample: {}", DatabaseException.reason(e));
      return ErrorPages.isTooSlow(e) ? rest(Duration.between(begun, clock.instant())) : PAUSE;
    }
  }

  private void publish(@Nullable Sample sample, @Nullable List<Finding> found) {
    lock.lock();
    try {
      if (sample == null && !away) LOG.warn("the database does not answer; pages show what was");
      away = sample == null;
      if (sample != null) latest = sample;
      if (found != null) findings = found;
      looks++;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private @Nullable List<Finding> examinedIfDue() {
    if (Duration.between(examined, clock.instant()).compareTo(DOCTOR_EVERY) < 0) return null;
    examined = clock.instant();
    return doctor.examine();
  }

  @Override
  public void close() {
    lock.lock();
    try {
      stopping = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    thread.interrupt();
  }
}
