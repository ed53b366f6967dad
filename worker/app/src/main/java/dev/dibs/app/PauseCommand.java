package dev.dibs.app;

import dev.dibs.DibsException;
import dev.dibs.operations.Operations;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs queues pause} and {@code dibs kinds pause}: nothing of it is claimed. */
@Command(
    name = "pause",
    description = "Claim no task of it, on any worker, until it is resumed; what runs goes on.")
final class PauseCommand implements Callable<Integer> {
  private final Shell shell;
  private final Steered what;

  @Parameters(paramLabel = "NAME", description = "Which one.")
  String name = "";

  @Option(
      names = "--why",
      paramLabel = "TEXT",
      required = true,
      description = "Shown to whoever wonders.")
  String why = "";

  @Option(names = "--json", description = "Print one JSON object.")
  boolean json;

  @Mixin OperatorOptions options = new OperatorOptions();

  PauseCommand(Shell shell, Steered what) {
    this.shell = shell;
    this.what = what;
  }

  @Override
  public Integer call() throws InterruptedException {
    Operations operations = options.open(shell, what.command());
    var request = options.request(why);
    var answer = OperatorOptions.meant(() -> what.pause(operations, name, request));
    if (json) {
      shell
          .out()
          .println(
              what.json(name, answer.pause())
                  .put("result", answer.result().name())
                  .put("running", answer.running()));
      return answer.result() == Operations.Answer.Result.DONE ? 0 : 1;
    }
    if (answer.result() != Operations.Answer.Result.DONE)
      throw new DibsException(
          "%s '%s' is %s; it was left so"
              .formatted(what.word(), name, Steered.state(answer.pause())));
    shell
        .out()
        .println(
            "paused %s '%s', %d of its tasks still run"
                .formatted(what.word(), name, answer.running()));
    return 0;
  }
}
