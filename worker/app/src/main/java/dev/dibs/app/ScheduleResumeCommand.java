package dev.dibs.app;

import dev.dibs.operations.Operations.Answer.Result;
import dev.dibs.operations.Timetable;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs schedules resume}: it ticks again, from now on. */
@Command(
    name = "resume",
    description = "Let a schedule tick again; what passed while it was paused does not run.")
final class ScheduleResumeCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "NAME", description = "Which schedule.")
  String name = "";

  @Option(
      names = "--why",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Kept in the audit.")
  String why = "";

  @Mixin OperatorOptions options = new OperatorOptions();

  ScheduleResumeCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    var schedules = SteeredSchedules.open(options.database, shell);
    var request = options.request(why);
    Timetable.PauseAnswer answer =
        OperatorOptions.meant(() -> schedules.timetable().resume(name, request));
    if (answer.result() != Result.DONE)
      throw schedules.left(name, answer.result(), answer.pause(), answer.message());
    shell
        .out()
        .println("resumed schedule '%s', next at %s".formatted(name, schedules.nextTick(name)));
    return 0;
  }
}
