package dev.dibs.app;

import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs bulk resume}: goes on where one has ended. */
@Command(
    name = "resume",
    description = "Go on with a bulk that was interrupted, failed, or lost its process.")
final class BulkResumeCommand implements Callable<Integer> {
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

  BulkResumeCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    var run = BulkRun.on(options, shell);
    var request = options.request(why);
    return run.drive(OperatorOptions.meant(() -> run.bulks().resume(id, request)), request);
  }
}
