package dev.dibs.app;

import dev.dibs.producer.Schedules;
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

  @Option(
      names = "--by",
      paramLabel = "NAME",
      description = "Who does it; the user of this process where none is given.")
  String by = System.getProperty("user.name", "unknown");

  @Mixin DatabaseOptions options = new DatabaseOptions();

  SchedulePauseCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    Schedules schedules = SchedulesCommand.open(options, shell);
    if (!schedules.pause(name, by, why)) throw SchedulesCommand.unknown(schedules, name);
    shell.out().println("paused schedule '" + name + "'");
    return 0;
  }
}
