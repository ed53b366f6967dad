package dev.dibs.app;

import dev.dibs.Scheduled;
import dev.dibs.producer.Schedules;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code dibs schedules resume}: it ticks again, from now on. */
@Command(
    name = "resume",
    description = "Let a schedule tick again; what passed while it was paused does not run.")
final class ScheduleResumeCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "NAME", description = "Which schedule.")
  String name = "";

  @Mixin DatabaseOptions options = new DatabaseOptions();

  ScheduleResumeCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    Schedules schedules = SchedulesCommand.open(options, shell);
    if (!schedules.resume(name)) throw SchedulesCommand.unknown(schedules, name);
    Scheduled resumed = SchedulesCommand.find(schedules, name);
    shell
        .out()
        .println(
            "resumed schedule '%s', next at %s"
                .formatted(name, ScheduleText.tick(resumed.schedule(), resumed.nextTick())));
    return 0;
  }
}
