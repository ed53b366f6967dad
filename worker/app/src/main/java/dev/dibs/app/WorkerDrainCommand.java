package dev.dibs.app;

import dev.dibs.DibsException;
import dev.dibs.operations.Operations;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs workers drain}: a process takes no more tasks, and stays. */
@Command(
    name = "drain",
    description = {
      "Let a worker take no more tasks: it gives back what it has not started, finishes what runs,",
      "is not ready any more, and stays until it is stopped or undrained."
    })
final class WorkerDrainCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "ID", description = "Which one; `dibs workers list` shows the ids.")
  UUID id = new UUID(0, 0);

  @Option(
      names = "--why",
      paramLabel = "TEXT",
      required = true,
      description = "Shown to whoever wonders.")
  String why = "";

  @Mixin OperatorOptions options = new OperatorOptions();

  WorkerDrainCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    var answer = options.open(shell, "workers").drainWorker(id, options.request(why));
    if (answer.result() != Operations.Answer.Result.DONE) throw new DibsException(answer.message());
    shell
        .out()
        .println("asked worker %s to drain, it has %d tasks".formatted(id, answer.running()));
    return 0;
  }
}
