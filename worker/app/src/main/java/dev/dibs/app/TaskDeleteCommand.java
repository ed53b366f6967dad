package dev.dibs.app;

import dev.dibs.BulkChange;
import dev.dibs.operations.Operations;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code dibs tasks delete}: forgets tasks. */
@Command(
    name = "delete",
    description =
        "Forget tasks that wait or have ended, without a trace in history: one by its ID, or all of a filter.")
final class TaskDeleteCommand implements Callable<Integer> {
  private final Shell shell;

  @Mixin TaskTarget target = new TaskTarget();

  TaskDeleteCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    return target.act(shell, new BulkChange.Delete(), "deleted", Operations::delete);
  }
}
