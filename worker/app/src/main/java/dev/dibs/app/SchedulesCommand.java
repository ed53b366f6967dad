package dev.dibs.app;

import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.Scheduled;
import dev.dibs.Text;
import dev.dibs.producer.ProducerSettings;
import dev.dibs.producer.Schedules;
import dev.dibs.sql.Migrations;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code dibs schedules}: what comes again and again, by cron or at intervals. */
@Command(
    name = "schedules",
    description = "List, add, pause, resume, run and remove schedules, and show their next ticks.",
    synopsisSubcommandLabel = "COMMAND")
final class SchedulesCommand {
  private static final Duration LONGEST_STATEMENT = Duration.ofMinutes(1);
  private static final int SHOWN = 200;

  private SchedulesCommand() {}

  /** The command with all of its own commands. */
  static CommandLine with(Shell shell) {
    return new CommandLine(new SchedulesCommand())
        .addSubcommand(new ScheduleListCommand(shell))
        .addSubcommand(new ScheduleAddCommand(shell))
        .addSubcommand(new SchedulePauseCommand(shell))
        .addSubcommand(new ScheduleResumeCommand(shell))
        .addSubcommand(new ScheduleRunCommand(shell))
        .addSubcommand(new ScheduleRemoveCommand(shell))
        .addSubcommand(new ScheduleNextCommand(shell));
  }

  /** The schedules of the database that the options name, if this build can work with it. */
  static Schedules open(DatabaseOptions options, Shell shell) throws InterruptedException {
    DataSource source = source(options, shell);
    return Schedules.on(source, ProducerSettings.DEFAULT.withSchema(options.schema()));
  }

  private static DataSource source(DatabaseOptions options, Shell shell)
      throws InterruptedException {
    DataSource source = options.find(shell, "schedules").plain(LONGEST_STATEMENT);
    try (Connection connection = source.getConnection()) {
      Migrations.check(connection, options.schema());
      return source;
    } catch (SQLException e) {
      throw new DatabaseException("the database could not be asked for its schedules", e);
    }
  }

  /** What live workers know and serve, read from the same database. */
  static LiveWorkers workers(DatabaseOptions options, boolean anyKind, Shell shell)
      throws InterruptedException {
    try (Connection connection = source(options, shell).getConnection()) {
      return LiveWorkers.read(connection, options.schema(), anyKind, shell);
    } catch (SQLException e) {
      throw new DatabaseException("the kinds of the live workers could not be read", e);
    }
  }

  static DibsException unknown(Schedules schedules, String name) {
    List<String> names =
        schedules.list().stream().map(scheduled -> scheduled.schedule().name()).toList();
    return unknown(names, name);
  }

  static DibsException unknown(List<String> there, String name) {
    String names = there.stream().map(one -> "'" + one + "'").collect(Collectors.joining(", "));
    return new DibsException(
        "there is no schedule '%s'; %s"
            .formatted(
                Text.cut(Text.storable(name), SHOWN),
                names.isEmpty()
                    ? "there are none, `dibs schedules add` adds one"
                    : "there are " + Text.cut(names, SHOWN)));
  }

  static Scheduled find(Schedules schedules, String name) {
    return schedules.find(name).orElseThrow(() -> unknown(schedules, name));
  }
}
