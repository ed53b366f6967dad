package dev.dibs.console;

import dev.dibs.BulkRow;
import dev.dibs.DibsException;
import dev.dibs.Request;
import dev.dibs.operations.BulkDrive;
import dev.dibs.operations.Bulks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bulks that this console drives, a few at a time, each on a virtual thread. Those under way
 * when it is closed are stopped after their batch, so that anybody may go on with them at once.
 *
 * <p>The lock guards {@code runs} and {@code closed}; it is not held while the database is asked.
 * Thread-safe.
 */
final class Drives implements AutoCloseable {
  static final int MOST = 3;
  private static final Logger LOG = LoggerFactory.getLogger(Drives.class);
  private static final Duration LAST_BATCH = Duration.ofSeconds(10);

  private record Run(BulkDrive drive, Request request, Thread thread) {}

  private final Bulks bulks;
  private final Consumer<BulkRow> watcher;
  private final Semaphore places = new Semaphore(MOST);
  private final Map<UUID, Run> runs = new HashMap<>();
  private boolean closed;

  /**
   * None yet.
   *
   * @param watcher hears of each batch
   */
  Drives(Bulks bulks, Consumer<BulkRow> watcher) {
    this.bulks = bulks;
    this.watcher = watcher;
  }

  /**
   * Drives what {@code beginning} is granted, if it is.
   *
   * @throws Refusal if there is no room; nothing has begun then
   */
  Bulks.Begun begin(Function<Bulks, Bulks.Begun> beginning, Request request) {
    if (isClosed())
      throw new Refusal(
          503,
          "Ending",
          "This console was told to end and drives no more bulks. Nothing was changed: begin it in another.");
    if (!places.tryAcquire())
      throw new Refusal(
          503,
          "Too many bulks",
          "This console drives %d bulks already. Nothing was changed: wait for the end of one, or use `dibs tasks` and `dibs bulk`."
              .formatted(MOST));
    boolean isDriven = false;
    try {
      Bulks.Begun begun = beginning.apply(bulks);
      isDriven = begun.drive().isPresent();
      begun.drive().ifPresent(drive -> add(drive, request));
      return begun;
    } finally {
      if (!isDriven) places.release();
    }
  }

  private boolean isClosed() {
    synchronized (runs) {
      return closed;
    }
  }

  private void add(BulkDrive drive, Request request) {
    Thread thread =
        Thread.ofVirtual().name("dibs-console-bulk-" + drive.id()).unstarted(() -> run(drive));
    var run = new Run(drive, request, thread);
    boolean tooLate;
    synchronized (runs) {
      runs.put(drive.id(), run);
      tooLate = closed;
    }
    if (tooLate) stop(run); // before its first batch
    thread.start();
  }

  private void run(BulkDrive drive) {
    try {
      drive.run(watcher);
    } catch (InterruptedException e) {
      LOG.warn("bulk {}: its last batch was not waited for; resume it", drive.id());
    } catch (RuntimeException e) { // the outermost frame: it is offered for resumption
      LOG.warn("bulk {}: {}", drive.id(), e.getMessage());
    } finally {
      synchronized (runs) {
        runs.remove(drive.id());
      }
      places.release();
    }
  }

  /** After the batch that is under way. */
  private void stop(Run run) {
    Request asked = run.request();
    try {
      bulks.interrupt(
          run.drive().id(),
          Request.of(asked.actor(), asked.source(), "the console that drove it was told to end"));
    } catch (DibsException e) {
      LOG.warn("bulk {}: {}", run.drive().id(), e.getMessage());
      run.thread().interrupt(); // the database does not hear of it: its lease will end
    }
  }

  @Override
  public void close() {
    List<Run> left;
    synchronized (runs) {
      closed = true;
      left = new ArrayList<>(runs.values());
    }
    left.forEach(this::stop);
    try {
      if (places.tryAcquire(MOST, LAST_BATCH.toSeconds(), TimeUnit.SECONDS)) places.release(MOST);
      else left.forEach(run -> run.thread().interrupt());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
