package dev.dibs.app;

import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.sql.Migrations;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import javax.sql.DataSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code dibs tasks}: what can be done to single tasks. */
@Command(
    name = "tasks",
    description = "Edit and cancel tasks.",
    synopsisSubcommandLabel = "COMMAND")
final class TasksCommand {
  private static final Duration LONGEST_STATEMENT = Duration.ofMinutes(1);

  private TasksCommand() {}

  /** The command with all of its own commands. */
  static CommandLine with(Shell shell) {
    return new CommandLine(new TasksCommand())
        .addSubcommand(new TaskEditCommand(shell))
        .addSubcommand(new TaskCancelCommand(shell));
  }

  /** The database that the options name, if this build can work with it. */
  static DataSource open(DatabaseOptions options, Shell shell) throws InterruptedException {
    DataSource source = options.find(shell, "tasks").plain(LONGEST_STATEMENT);
    try (Connection connection = source.getConnection()) {
      Migrations.check(connection, options.schema());
      return source;
    } catch (SQLException e) {
      throw new DatabaseException("the database could not be asked for its tasks", e);
    }
  }

  static DibsException unknown(UUID id) {
    return new DibsException(
        "there is no task %s, or its history was pruned; `dibs status` counts those there are"
            .formatted(id));
  }
}
