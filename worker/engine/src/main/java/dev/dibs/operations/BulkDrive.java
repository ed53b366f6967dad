package dev.dibs.operations;

import dev.dibs.BulkRow;
import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.sql.Bell;
import dev.dibs.sql.BulkRows;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * A bulk that this process drives, batch by batch, until its end, or until somebody interrupts it:
 * {@link Bulks#interrupt}.
 *
 * <p>Whatever happens to this process, what was changed is known to the database, and another may
 * resume where the last committed batch has ended: at once after an interruption, else half a
 * minute later. {@link #run} is called once, by one thread.
 */
public final class BulkDrive {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Duration GIVE_UP_AFTER = Duration.ofMinutes(2);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(2);
  private static final Duration FIRST_WAIT = Duration.ofMillis(50);
  private static final int MOST_REFUSALS = 100;

  /** Lock waits, deadlocks, time-outs, and a server that is out of something. */
  private static final Set<String> PASSING = Set.of("55P03", "40P01", "40001", "57014");

  private final Link link;
  private final BulkRows rows;
  private final Bell bell;
  private final UUID id;
  private final UUID driver;
  private final Pace pace;
  private Optional<String> refusal = Optional.empty();
  private int refusals;
  private long troubledSince;
  private Duration wait = Duration.ZERO;

  BulkDrive(Link link, BulkRows rows, Bell bell, BulkRow bulk, UUID driver) {
    this.link = link;
    this.rows = rows;
    this.bell = bell;
    this.id = bulk.id();
    this.driver = driver;
    this.pace = new Pace(bulk.order().perSecond(), System.nanoTime());
  }

  public UUID id() {
    return id;
  }

  /**
   * Drives it to its end.
   *
   * @param watcher hears of each batch
   * @return how it ended: DONE, FAILED, STOPPED by somebody, or RUNNING where another took it on
   * @throws DatabaseException if the database could not be asked for two minutes, or refuses all of
   *     it; the bulk can be resumed
   * @throws InterruptedException if this thread was interrupted; likewise
   */
  public BulkRow run(Consumer<BulkRow> watcher) throws InterruptedException {
    try (link) {
      boolean goesOn = true;
      while (goesOn) {
        pause(pace.left(System.nanoTime()));
        goesOn = batch(watcher);
      }
      return ended();
    }
  }

  /** The last look waits out a lost connection as every batch does. */
  private BulkRow ended() throws InterruptedException {
    while (true) {
      try {
        return now();
      } catch (SQLException e) {
        if (!outlasts(e)) throw failed(e);
      }
    }
  }

  private boolean batch(Consumer<BulkRow> watcher) throws InterruptedException {
    try {
      Connection connection = link.connection();
      long began = System.nanoTime();
      var step =
          rows.step(
              connection, id, driver, refusal.isPresent() ? 1 : pace.size(), refusal, PATIENCE);
      pace.did(step.chosen(), began, System.nanoTime());
      recovered();
      bell.ringAlone(connection, step.ready());
      watcher.accept(now());
      return step.goesOn();
    } catch (SQLException e) {
      return outlive(e);
    }
  }

  private BulkRow now() throws SQLException {
    return OwnTransaction.unwrapping(
        connection ->
            rows.find(connection, id)
                .orElseThrow(() -> new DibsException("bulk %s is gone".formatted(id))),
        link.connection());
  }

  private void recovered() {
    refusals = refusal.isPresent() ? refusals + 1 : 0;
    refusal = Optional.empty();
    wait = Duration.ZERO;
  }

  /** Whether it goes on after that. */
  private boolean outlive(SQLException e) throws InterruptedException {
    if (outlasts(e)) {
      pace.shrink();
      return true;
    }
    String state = String.valueOf(e.getSQLState());
    if (state.startsWith("22") || state.startsWith("23")) return passOver(e);
    return end(e);
  }

  /** Whether that passes; if so, after waiting some of it out. */
  private boolean outlasts(SQLException e) throws InterruptedException {
    String state = String.valueOf(e.getSQLState());
    boolean isLost = link.isLost(e);
    if (!isLost && !PASSING.contains(state) && !state.startsWith("53")) return false;
    if (isLost) link.drop();
    waitLonger(e);
    return true;
  }

  /** Halves the batch until the one task is left that the database refuses; that one is counted. */
  private boolean passOver(SQLException e) {
    if (pace.size() > 1) {
      pace.shrink();
      return true;
    }
    if (refusal.isPresent())
      refusals++; // the batch that was to count the last one was refused, too
    if (refusals >= MOST_REFUSALS) return end(e);
    refusal = Optional.of(message(e));
    return true;
  }

  private boolean end(SQLException e) {
    try {
      rows.fail(link.connection(), id, driver, message(e));
    } catch (SQLException other) {
      e.addSuppressed(other);
      throw failed(e);
    }
    return false;
  }

  private void waitLonger(SQLException e) throws InterruptedException {
    if (wait.isZero()) troubledSince = System.nanoTime();
    if (System.nanoTime() - troubledSince > GIVE_UP_AFTER.toNanos()) throw failed(e);
    wait = wait.isZero() ? FIRST_WAIT : wait.multipliedBy(2);
    if (wait.compareTo(LONGEST_WAIT) > 0) wait = LONGEST_WAIT;
    pause(wait.toNanos());
  }

  private DatabaseException failed(SQLException e) {
    return new DatabaseException(
        "bulk %s stands still, resume it when the database answers".formatted(id), e);
  }

  /** For those who see the bulk; they may be no more than viewers. */
  private static String message(SQLException e) {
    return "%s (SQLSTATE %s)".formatted(DatabaseException.reason(e), e.getSQLState());
  }

  private static void pause(long nanos) throws InterruptedException {
    long deadline = System.nanoTime() + nanos;
    for (long left = nanos; left > 0; left = deadline - System.nanoTime()) {
      LockSupport.parkNanos(left);
      if (Thread.interrupted()) throw new InterruptedException();
    }
  }
}
