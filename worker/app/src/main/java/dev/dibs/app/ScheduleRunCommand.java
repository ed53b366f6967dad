package dev.dibs.app;

import dev.dibs.operations.Operations.Answer.Result;
import dev.dibs.operations.Timetable;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs schedules run}: what a tick of it enqueues, now. */
@Command(
    name = "run",
    description =
        "Enqueue now what a tick would, also while it is paused; its ticks stay as they are.")
final class ScheduleRunCommand implements Callable<Integer> {
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

  ScheduleRunCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    var schedules = SteeredSchedules.open(options.database, shell);
    var request = options.request(why);
    Timetable.RunAnswer answer =
        OperatorOptions.meant(() -> schedules.timetable().run(name, request));
    if (answer.result() != Result.DONE)
      throw schedules.left(name, answer.result(), Optional.empty(), answer.message());
    shell
        .out()
        .println("enqueued task %s of schedule '%s'".formatted(answer.task().orElseThrow(), name));
    return 0;
  }
}
