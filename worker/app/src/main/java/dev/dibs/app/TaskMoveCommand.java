package dev.dibs.app;

import dev.dibs.BulkChange;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dibs tasks move}: puts tasks that wait into another queue. */
@Command(
    name = "move",
    description =
        "Put tasks that wait at the end of another queue: one by its ID, or all of a filter.")
final class TaskMoveCommand implements Callable<Integer> {
  private final Shell shell;

  @Mixin TaskTarget target = new TaskTarget();

  @Option(names = "--to", paramLabel = "QUEUE", required = true, description = "Where to.")
  String to = "";

  TaskMoveCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    BulkChange change = OperatorOptions.meant(() -> new BulkChange.Move(to));
    return target.act(
        shell, change, "moved", (operations, seen, request) -> operations.move(seen, to, request));
  }
}
