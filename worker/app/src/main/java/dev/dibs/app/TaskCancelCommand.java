package dev.dibs.app;

import dev.dibs.BulkChange;
import dev.dibs.DibsException;
import dev.dibs.operations.Operations;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dibs tasks cancel}: calls a task off, whether it waits or runs. */
@Command(
    name = "cancel",
    description = {
      "Call tasks off: one by its ID or its unique key, or all of a filter; runs are interrupted."
    })
final class TaskCancelCommand implements Callable<Integer> {
  private static final String DONE = "cancelled";

  private final Shell shell;

  @Mixin TaskTarget target = new TaskTarget();

  @Option(
      names = "--unique-key",
      paramLabel = "KEY",
      description = "Those of this key in the queue --queue or default, instead of ID.")
  @Nullable String key;

  TaskCancelCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (key == null && (target.id != null || target.isFilter()))
      return target.act(shell, new BulkChange.Cancel(), DONE, Operations::cancel);
    if (key == null || target.id != null || target.isFilter())
      throw new UsageException("give either the ID of a task or --unique-key, or a filter");
    if (target.filter.isMoreThanQueue())
      throw new UsageException(
          "--unique-key goes with --queue alone: leave the rest of the filter out, or give --status in place of the key");
    return cancelHolders(key);
  }

  private int cancelHolders(String key) throws InterruptedException {
    String queue = target.filter.queue == null ? "default" : target.filter.queue;
    Operations operations = target.options.open(shell, "tasks");
    List<UUID> holders = operations.holders(queue, key);
    if (holders.isEmpty())
      throw new DibsException(
          "no task of queue '%s' holds the unique key '%s'".formatted(queue, key));
    for (UUID id : holders) target.one(shell, operations, id, DONE, Operations::cancel);
    return 0;
  }
}
