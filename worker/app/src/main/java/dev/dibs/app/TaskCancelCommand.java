package dev.dibs.app;

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
import picocli.CommandLine.Parameters;

/** {@code dibs tasks cancel}: calls a task off, whether it waits or runs. */
@Command(
    name = "cancel",
    description = "Call a task off, by its id or by its unique key; a run of it is interrupted.")
final class TaskCancelCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(arity = "0..1", paramLabel = "ID", description = "Which task.")
  @Nullable UUID id;

  @Option(
      names = "--unique-key",
      paramLabel = "KEY",
      description = "Those of this key in the queue, instead of ID.")
  @Nullable String key;

  @Option(
      names = "--queue",
      paramLabel = "NAME",
      defaultValue = "default",
      description = "Where the key holds.")
  String queue = "default";

  @Option(
      names = "--why",
      paramLabel = "TEXT",
      defaultValue = "by hand",
      description = "Kept with the task.")
  String why = "by hand";

  @Mixin DatabaseOptions options = new DatabaseOptions();

  TaskCancelCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    if ((id == null) == (key == null))
      throw new UsageException("give either the ID of a task or --unique-key");
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
    return Map.of(id, canceller.cancel(id, why).orElseThrow(() -> TasksCommand.unknown(id)));
  }

  private Map<UUID, TaskStatus> byKey(Canceller canceller) {
    Map<UUID, TaskStatus> found = canceller.cancelUnique(queue, String.valueOf(key), why);
    if (found.isEmpty())
      throw new DibsException(
          "no task of queue '%s' holds the unique key '%s'".formatted(queue, key));
    return found;
  }
}
