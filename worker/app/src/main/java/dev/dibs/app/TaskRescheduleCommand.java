package dev.dibs.app;

import dev.dibs.BulkChange;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dibs tasks reschedule}: gives tasks that wait another time to run. */
@Command(
    name = "reschedule",
    description = "Give tasks that wait another time to run: one by its ID, or all of a filter.")
final class TaskRescheduleCommand implements Callable<Integer> {
  private final Shell shell;

  @Mixin TaskTarget target = new TaskTarget();

  @Option(
      names = "--delay",
      paramLabel = "TIME",
      description = "In 250ms, 30s, 5m, 2h, 1d or PT5M; 0s: now.")
  @Nullable Duration delay;

  @Option(names = "--run-at", paramLabel = "INSTANT", description = "At 2030-01-31T02:30:00Z.")
  @Nullable Instant runAt;

  TaskRescheduleCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    Instant at = OperatorOptions.meant(this::at);
    return target.act(
        shell,
        new BulkChange.Reschedule(at),
        "rescheduled",
        (operations, seen, request) -> operations.reschedule(seen, at, request));
  }

  private Instant at() {
    if (runAt != null && delay == null) return runAt;
    if (delay != null && runAt == null) return later(delay);
    throw new UsageException("give either --delay or --run-at");
  }

  private static Instant later(Duration delay) {
    try {
      return Instant.now().plus(delay);
    } catch (ArithmeticException | java.time.DateTimeException e) {
      throw new IllegalArgumentException("--delay must be at most 100 years, was " + delay, e);
    }
  }
}
