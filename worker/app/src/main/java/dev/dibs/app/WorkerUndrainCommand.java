package dev.dibs.app;

import dev.dibs.DibsException;
import dev.dibs.operations.Operations;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs workers undrain}: a process takes tasks again. */
@Command(name = "undrain", description = "Let a worker take tasks again.")
final class WorkerUndrainCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "ID", description = "Which one; `dibs workers list` shows the ids.")
  UUID id = new UUID(0, 0);

  @Option(
      names = "--why",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Kept in the audit.")
  String why = "";

  @Mixin OperatorOptions options = new OperatorOptions();

  WorkerUndrainCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    var answer = options.open(shell, "workers").undrainWorker(id, options.request(why));
    if (answer.result() != Operations.Answer.Result.DONE) throw new DibsException(answer.message());
    shell.out().println("asked worker %s to take tasks again".formatted(id));
    return 0;
  }
}
