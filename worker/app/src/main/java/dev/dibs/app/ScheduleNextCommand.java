package dev.dibs.app;

import dev.dibs.Schedule;
import dev.dibs.Scheduled;
import java.time.Instant;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs schedules next}: when a schedule ticks, as its clock shows it. */
@Command(name = "next", description = "Show the next ticks of a schedule, a line each.")
final class ScheduleNextCommand implements Callable<Integer> {
  private static final int MOST = 10_000;

  private final Shell shell;

  @Parameters(paramLabel = "NAME", description = "Which schedule.")
  String name = "";

  @Option(names = "-n", paramLabel = "N", defaultValue = "5", description = "How many.")
  int count = 5;

  @Option(names = "--json", description = "Print a line {\"tick\":…,\"local\":…} for every tick.")
  boolean json;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  ScheduleNextCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (count < 1 || count > MOST)
      throw new UsageException("-n must be 1 to %d, was %d".formatted(MOST, count));
    Scheduled scheduled = SchedulesCommand.find(SchedulesCommand.open(options, shell), name);
    Schedule schedule = scheduled.schedule();
    for (Instant tick : scheduled.next(count)) {
      shell
          .out()
          .println(json ? ScheduleText.json(schedule, tick) : ScheduleText.tick(schedule, tick));
    }
    if (scheduled.pause().isPresent())
      shell.say("schedule '%s' is %s".formatted(name, ScheduleText.state(scheduled)));
    return 0;
  }
}
