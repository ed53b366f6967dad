package dev.dibs.app;

import dev.dibs.BulkChange;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dibs tasks retry}: runs what has ended once more. */
@Command(
    name = "retry",
    description = {
      "Run tasks again that ended, with their history: one by its ID, or all of a filter.",
      "A task that SUCCEEDED runs as a copy, one that is SCHEDULED now; by ID only."
    })
final class TaskRetryCommand implements Callable<Integer> {
  private final Shell shell;

  @Mixin TaskTarget target = new TaskTarget();

  @Option(
      names = "--delay",
      paramLabel = "TIME",
      defaultValue = "0s",
      description = "With an ID: run no sooner than in 30s, 5m or 2h.")
  Duration delay = Duration.ZERO;

  @Option(
      names = "--spread",
      paramLabel = "TIME",
      defaultValue = "0s",
      description = "With a filter: let them become ready evenly over so long.")
  Duration spread = Duration.ZERO;

  TaskRetryCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (target.id != null && !spread.isZero())
      throw new UsageException("--spread goes with a filter; give --delay with the ID of a task");
    if (target.id == null && target.isFilter() && !delay.isZero())
      throw new UsageException("--delay goes with the ID of a task; give --spread with a filter");
    BulkChange change = OperatorOptions.meant(() -> new BulkChange.Retry(spread));
    return target.act(
        shell,
        change,
        "retried",
        (operations, seen, request) -> operations.retry(seen, delay, request));
  }
}
