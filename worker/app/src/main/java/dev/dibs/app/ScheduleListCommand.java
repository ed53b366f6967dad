package dev.dibs.app;

import dev.dibs.Schedule;
import dev.dibs.Scheduled;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dibs schedules list}: all schedules, each with its next and last tick. */
@Command(name = "list", description = "List all schedules.")
final class ScheduleListCommand implements Callable<Integer> {
  private final Shell shell;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  @Option(names = "--json", description = "Print a JSON object a line for every schedule.")
  boolean json;

  ScheduleListCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    List<Scheduled> all = SchedulesCommand.open(options, shell).list();
    if (json) all.forEach(scheduled -> shell.out().println(ScheduleText.json(scheduled)));
    else if (all.isEmpty()) shell.out().println("no schedules");
    else table(all).lines().forEach(shell.out()::println);
    return 0;
  }

  private static TextTable table(List<Scheduled> all) {
    var table = new TextTable("SCHEDULE", "RHYTHM", "KIND", "QUEUE", "NEXT", "LAST", "STATE");
    for (Scheduled scheduled : all) {
      Schedule schedule = scheduled.schedule();
      table.add(
          schedule.name(),
          ScheduleText.rhythm(schedule.rhythm()),
          schedule.task().kind().name(),
          schedule.task().options().queue(),
          scheduled.pause().isPresent() ? "-" : ScheduleText.tick(schedule, scheduled.nextTick()),
          scheduled.lastTick().map(tick -> ScheduleText.tick(schedule, tick)).orElse("-"),
          ScheduleText.state(scheduled));
    }
    return table;
  }
}
