package dev.dibs.app;

import dev.dibs.producer.Schedules;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code dibs schedules remove}: it ticks no more. */
@Command(
    name = "remove",
    description = {
      "Remove a schedule; the tasks that are there stay.",
      "",
      "A worker that declares it in its code enters it again when it starts: pause it instead."
    })
final class ScheduleRemoveCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "NAME", description = "Which schedule.")
  String name = "";

  @Mixin DatabaseOptions options = new DatabaseOptions();

  ScheduleRemoveCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    Schedules schedules = SchedulesCommand.open(options, shell);
    if (!schedules.remove(name)) throw SchedulesCommand.unknown(schedules, name);
    shell.out().println("removed schedule '" + name + "'");
    return 0;
  }
}
