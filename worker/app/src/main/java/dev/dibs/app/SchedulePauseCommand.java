package dev.dibs.app;

import dev.dibs.operations.Operations.Answer.Result;
import dev.dibs.operations.Timetable;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs schedules pause}: no tick until it is resumed. */
@Command(name = "pause", description = "Stop a schedule's ticks until it is resumed.")
final class SchedulePauseCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "NAME", description = "Which schedule.")
  String name = "";

  @Option(
      names = "--why",
      paramLabel = "TEXT",
      required = true,
      description = "Shown to whoever wonders.")
  String why = "";

  @Mixin OperatorOptions options = new OperatorOptions();

  SchedulePauseCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    var schedules = SteeredSchedules.open(options.database, shell);
    var request = options.request(why);
    Timetable.PauseAnswer answer =
        OperatorOptions.meant(() -> schedules.timetable().pause(name, request));
    if (answer.result() != Result.DONE)
      throw schedules.left(name, answer.result(), answer.pause(), answer.message());
    shell.out().println("paused schedule '" + name + "'");
    return 0;
  }
}
