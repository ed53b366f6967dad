package dev.dibs.app;

import dev.dibs.DibsException;
import dev.dibs.operations.Operations;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs queues resume} and {@code dibs kinds resume}: it is claimed from again. */
@Command(name = "resume", description = "Claim its tasks again.")
final class ResumeCommand implements Callable<Integer> {
  private final Shell shell;
  private final Steered what;

  @Parameters(paramLabel = "NAME", description = "Which one.")
  String name = "";

  @Option(
      names = "--why",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Kept in the audit.")
  String why = "";

  @Option(names = "--json", description = "Print one JSON object.")
  boolean json;

  @Mixin OperatorOptions options = new OperatorOptions();

  ResumeCommand(Shell shell, Steered what) {
    this.shell = shell;
    this.what = what;
  }

  @Override
  public Integer call() throws InterruptedException {
    Operations operations = options.open(shell, what.command());
    var request = options.request(why);
    var answer = OperatorOptions.meant(() -> what.resume(operations, name, request));
    boolean done = answer.result() == Operations.Answer.Result.DONE;
    if (json)
      shell.out().println(what.json(name, answer.pause()).put("result", answer.result().name()));
    else if (!done)
      throw new DibsException(
          "%s '%s' was not paused; `dibs %s list` shows what is"
              .formatted(what.word(), name, what.command()));
    else shell.out().println("resumed %s '%s'".formatted(what.word(), name));
    return done ? 0 : 1;
  }
}
