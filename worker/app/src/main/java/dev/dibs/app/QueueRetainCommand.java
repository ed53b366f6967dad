package dev.dibs.app;

import dev.dibs.DibsException;
import dev.dibs.QueueRow;
import dev.dibs.Retention;
import dev.dibs.operations.Operations;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs queues retain}: how long a queue keeps what has ended. */
@Command(
    name = "retain",
    description = "Say how long a queue keeps finished tasks, by how they ended; 0s: not at all.")
final class QueueRetainCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "NAME", description = "Which queue.")
  String name = "";

  @Option(names = "--succeeded", paramLabel = "TIME", description = "Like 0s, 12h or 30d.")
  @Nullable Duration succeeded;

  @Option(names = "--dead", paramLabel = "TIME", description = "Likewise.")
  @Nullable Duration dead;

  @Option(names = "--cancelled", paramLabel = "TIME", description = "Likewise.")
  @Nullable Duration cancelled;

  @Option(names = "--why", paramLabel = "TEXT", required = true, description = "Kept in the audit.")
  String why = "";

  @Mixin OperatorOptions options = new OperatorOptions();

  QueueRetainCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (succeeded == null && dead == null && cancelled == null)
      throw new UsageException("give --succeeded, --dead or --cancelled: nothing is to be changed");
    Operations operations = options.open(shell, "queues");
    Retention kept =
        operations.queues().stream()
            .filter(queue -> queue.name().equals(name))
            .map(QueueRow::retention)
            .findFirst()
            .orElse(Retention.DEFAULT);
    var request = options.request(why);
    Retention changed = OperatorOptions.meant(() -> changed(kept));
    Operations.RetainAnswer answer =
        OperatorOptions.meant(() -> operations.retain(name, kept, changed, request));
    if (answer.result() != Operations.Answer.Result.DONE)
      throw new DibsException(answer.message() + "; it was left so");
    shell.out().println("changed the retention of queue '%s'".formatted(name));
    return 0;
  }

  private Retention changed(Retention kept) {
    Retention changed = kept;
    if (succeeded != null) changed = changed.withSucceeded(succeeded);
    if (dead != null) changed = changed.withDead(dead);
    return cancelled == null ? changed : changed.withCancelled(cancelled);
  }
}
