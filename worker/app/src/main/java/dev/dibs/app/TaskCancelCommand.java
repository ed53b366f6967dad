package dev.dibs.app;

import dev.dibs.BulkChange;
import dev.dibs.DibsException;
import dev.dibs.TaskStatus;
import dev.dibs.producer.Canceller;
import java.util.Map;
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
    UUID id = target.id;
    if (id == null && key == null && target.isFilter())
      return target.bulk(shell, new BulkChange.Cancel());
    if ((id == null) == (key == null))
      throw new UsageException("give either the ID of a task or --unique-key, or a filter");
    DatabaseOptions options = target.options.database;
    var canceller = Canceller.on(TasksCommand.open(options, shell), options.schema());
    Map<UUID, TaskStatus> found = id == null ? byKey(canceller) : byId(canceller, id);
    for (var each : found.entrySet()) {
      if (each.getValue().isFinal())
        throw new DibsException(
            "task %s had ended before: it is %s".formatted(each.getKey(), each.getValue()));
      shell.out().println("cancelled task " + each.getKey() + ", it was " + each.getValue());
    }
    return 0;
  }

  private Map<UUID, TaskStatus> byId(Canceller canceller, UUID id) {
    return Map.of(id, canceller.cancel(id, why()).orElseThrow(() -> TasksCommand.unknown(id)));
  }

  private Map<UUID, TaskStatus> byKey(Canceller canceller) {
    String queue = target.filter.queue == null ? "default" : target.filter.queue;
    Map<UUID, TaskStatus> found = canceller.cancelUnique(queue, String.valueOf(key), why());
    if (found.isEmpty())
      throw new DibsException(
          "no task of queue '%s' holds the unique key '%s'".formatted(queue, key));
    return found;
  }

  private String why() {
    return target.why.isEmpty() ? "by hand" : target.why;
  }
}
