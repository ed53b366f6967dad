package dev.dibs.app;

import dev.dibs.DibsException;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs bulk interrupt}: stops one after the batch that is under way. */
@Command(
    name = "interrupt",
    description = "Stop a bulk after the batch that is under way, wherever it is driven.")
final class BulkInterruptCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "BULK", description = "Which one.")
  UUID id = new UUID(0, 0);

  @Option(
      names = "--why",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Kept in the audit.")
  String why = "";

  @Mixin OperatorOptions options = new OperatorOptions();

  BulkInterruptCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    var bulks = BulkRun.on(options, shell).bulks();
    var request = options.request(why);
    var answer = OperatorOptions.meant(() -> bulks.interrupt(id, request));
    if (!answer.done()) throw new DibsException(answer.message());
    shell.out().println("interrupted bulk %s; go on with `dibs bulk resume %s`".formatted(id, id));
    return 0;
  }
}
