package dev.dibs.app;

import dev.dibs.DibsException;
import dev.dibs.Misfire;
import dev.dibs.Overlap;
import dev.dibs.Rhythm;
import dev.dibs.Schedule;
import dev.dibs.Scheduled;
import dev.dibs.producer.Schedules;
import java.io.IOException;
import java.time.Duration;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs schedules add}: a new schedule, or another in the place of one. */
@Command(
    name = "add",
    description = {
      "Add a schedule, which ticks from now on.",
      "",
      "Cron has five fields: minute, hour, day of month, month, day of week; or six, with seconds in front. Where clocks"
          + " are put forward, a time they leave out ticks once, right after; where they are put back, a fixed time ticks"
          + " once, a rhythm with * or */n goes on."
    })
final class ScheduleAddCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "NAME", description = "What it is called.")
  String name = "";

  @Option(names = "--cron", paramLabel = "EXPRESSION", description = "Such as '30 2 * * *'.")
  @Nullable String cron;

  @Option(
      names = "--every",
      paramLabel = "TIME",
      description = "Instead of --cron: such as 30s, 5m, 1h, counted from 1970-01-01T00:00Z.")
  @Nullable Duration every;

  @Option(
      names = "--zone",
      paramLabel = "ZONE",
      description = "Whose clocks --cron goes by, such as Europe/Berlin; UTC where none is given.")
  @Nullable ZoneId zone;

  @Option(
      names = "--misfire",
      paramLabel = "POLICY",
      defaultValue = "once",
      description =
          "Ticks that passed while nothing worked: skip, once (for all of them), or catch-up:N (the last N).")
  Misfire misfire = new Misfire.Once();

  @Option(
      names = "--overlap",
      paramLabel = "POLICY",
      defaultValue = "allow",
      description = "While the last tick's task is unfinished: allow or skip.")
  Overlap overlap = Overlap.ALLOW;

  @Option(
      names = "--jitter",
      paramLabel = "TIME",
      defaultValue = "0s",
      description = "Tasks run up to so much after their tick.")
  Duration jitter = Duration.ZERO;

  @Mixin TaskContent content = new TaskContent();

  @Option(names = "--replace", description = "Change the schedule of that name, if there is one.")
  boolean replace;

  @Option(
      names = "--any-kind",
      description = "Take a kind too that none of the live workers knows.")
  boolean anyKind;

  @Option(names = "--json", description = "Print the schedule as a JSON object.")
  boolean json;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  ScheduleAddCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Schedule schedule = schedule();
    Schedules schedules = SchedulesCommand.open(options, shell);
    LiveWorkers workers = SchedulesCommand.workers(options, anyKind, shell);
    workers.check(schedule.task());
    boolean added = schedules.add(schedule);
    if (!added && !replace)
      throw new DibsException(
          "there is a schedule '" + name + "' already; give --replace to change it");
    if (!added && schedules.change(name, standing -> schedule).isEmpty())
      throw SchedulesCommand.unknown(schedules, name);
    tell(SchedulesCommand.find(schedules, name), added ? "added" : "changed");
    workers.sayWhoIsMissing();
    return 0;
  }

  private void tell(Scheduled scheduled, String done) {
    shell
        .out()
        .println(
            json
                ? ScheduleText.json(scheduled)
                : "%s schedule '%s', next at %s"
                    .formatted(
                        done, name, ScheduleText.tick(scheduled.schedule(), scheduled.nextTick())));
  }

  private Schedule schedule() throws IOException {
    if (content.kind == null) throw new UsageException("give --kind: what the tasks are to do");
    var task = content.task(shell);
    try {
      return Schedule.of(name, rhythm(), task).misfire(misfire).overlap(overlap).jitter(jitter);
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }

  private Rhythm rhythm() {
    if (cron != null && every == null)
      return Rhythm.cron(cron, zone == null ? ZoneOffset.UTC : zone);
    if (every == null || cron != null)
      throw new UsageException("give --cron or --every, and one of them only");
    if (zone != null) throw new UsageException("--zone goes with --cron: --every needs no clock");
    return Rhythm.every(every);
  }
}
