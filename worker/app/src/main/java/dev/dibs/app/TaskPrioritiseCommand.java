package dev.dibs.app;

import dev.dibs.BulkChange;
import dev.dibs.Priority;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dibs tasks prioritise}: makes tasks that wait more or less urgent. */
@Command(
    name = "prioritise",
    description = "Make tasks that wait more or less urgent: one by its ID, or all of a filter.")
final class TaskPrioritiseCommand implements Callable<Integer> {
  private final Shell shell;

  @Mixin TaskTarget target = new TaskTarget();

  @Option(
      names = "--priority",
      required = true,
      description = "urgent, high, normal, low, or 1 to 4.")
  Priority priority = Priority.NORMAL;

  TaskPrioritiseCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    return target.act(
        shell,
        new BulkChange.Prioritise(priority),
        "changed",
        (operations, seen, request) -> operations.prioritise(seen, priority, request));
  }
}
