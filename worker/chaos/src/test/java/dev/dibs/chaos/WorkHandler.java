package dev.dibs.chaos;

import dev.dibs.Kind;
import dev.dibs.LeaseLostException;
import dev.dibs.NewTask;
import dev.dibs.Outcome;
import dev.dibs.worker.RunningTask;
import dev.dibs.worker.TaskHandler;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Does what {@link Work} asks for and records each step. Thread-safe. */
final class WorkHandler implements TaskHandler<Work> {
  private static final Duration AGAIN = Duration.ofMillis(150);
  private static final int CHILD_MILLIS = 5;
  private static final int TRIES = 3;

  private final Recorder recorder;
  private final Kind<Work> kind;
  private final CountDownLatch never = new CountDownLatch(1);

  WorkHandler(Recorder recorder, Kind<Work> kind) {
    this.recorder = recorder;
    this.kind = kind;
  }

  @Override
  public Outcome handle(Work work, RunningTask task) throws Exception {
    record(Event.Type.START, task, "");
    String end = "interrupted";
    try {
      Outcome outcome = run(work, task);
      end = outcome.getClass().getSimpleName().toLowerCase(Locale.ROOT);
      return outcome;
    } catch (LeaseLostException e) {
      end = "lost";
      throw e;
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      end = "retry";
      // The usual backoff would outlast the run.
      return Outcome.retry(AGAIN, e.getClass().getSimpleName());
    } finally {
      record(Event.Type.END, task, end);
    }
  }

  private Outcome run(Work work, RunningTask task) throws Exception {
    if (work.snoozes() && task.attempt() == 1) return Outcome.snooze(AGAIN);
    takeTime(work);
    if (task.failures() < work.retries()) return Outcome.retry(AGAIN, "as told");
    return switch (work.end()) {
      case "dead" -> Outcome.dead("as told");
      case "cancel" -> Outcome.cancel("as told");
      default -> done(work, task);
    };
  }

  private void takeTime(Work work) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(work.millis());
    for (long left = deadline - System.nanoTime(); left > 0; left = deadline - System.nanoTime()) {
      try {
        if (never.await(left, TimeUnit.NANOSECONDS))
          throw new IllegalStateException("nobody counts down");
      } catch (InterruptedException e) {
        if (!work.stubborn()) throw e;
      }
    }
  }

  private Outcome done(Work work, RunningTask task) throws Exception {
    if (kind.equals(Work.INSIDE)) commitAtLast(work, task);
    else record(Event.Type.EFFECT, task, "");
    return Outcome.done();
  }

  /** Who does not listen to interrupts tries again when one came between. */
  private void commitAtLast(Work work, RunningTask task) throws Exception {
    for (int tries = work.stubborn() ? TRIES : 1; tries > 0; tries--) {
      try {
        commit(work, task);
        return;
      } catch (LeaseLostException e) {
        throw e;
      } catch (Exception e) {
        if (tries == 1) throw e;
        Thread.interrupted();
      }
    }
  }

  private void commit(Work work, RunningTask task) throws Exception {
    record(Event.Type.COMMIT, task, "");
    try {
      task.transaction(transaction -> {
        @Nullable NewTask<Work> child =
            work.follows() ? Work.taking(CHILD_MILLIS).task(Work.OUTSIDE) : null;
        if (child != null) transaction.enqueue(child);
        transaction.execute(
            "insert into chaos.effect (task, attempt, child) values (?, ?, nullif(?, '')::uuid)",
            task.id(),
            task.attempt(),
            child == null ? "" : child.id().toString());
      });
    } catch (LeaseLostException e) {
      record(Event.Type.COMMIT_LOST, task, "");
      throw e;
    } catch (Throwable e) {
      record(Event.Type.COMMIT_UNKNOWN, task, e.getClass().getSimpleName());
      throw e;
    }
    record(Event.Type.COMMITTED, task, "");
  }

  private void record(Event.Type type, RunningTask task, String detail) {
    recorder.write(type, task.id(), task.attempt(), detail);
  }
}
