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
    boolean woken = never.await(work.millis(), TimeUnit.MILLISECONDS);
    if (woken) throw new IllegalStateException("nobody counts down");
    if (task.failures() < work.retries()) return Outcome.retry(AGAIN, "as told");
    return switch (work.end()) {
      case "dead" -> Outcome.dead("as told");
      case "cancel" -> Outcome.cancel("as told");
      default -> done(work, task);
    };
  }

  private Outcome done(Work work, RunningTask task) throws Exception {
    if (kind.equals(Work.INSIDE)) commit(work, task);
    else record(Event.Type.EFFECT, task, "");
    return Outcome.done();
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
