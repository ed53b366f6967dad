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

/** {@code dibs tasks}: what there is, and what can be done to one task or to many. */
@Command(
    name = "tasks",
    description = "List and show tasks; retry, cancel, delete, move and edit them.",
    synopsisSubcommandLabel = "COMMAND")
final class TasksCommand {
  private static final Duration LONGEST_STATEMENT = Duration.ofMinutes(1);

  private TasksCommand() {}

  /** The command with all of its own commands. */
  static CommandLine with(Shell shell) {
    return new CommandLine(new TasksCommand())
        .addSubcommand(new TaskListCommand(shell))
        .addSubcommand(new TaskShowCommand(shell))
        .addSubcommand(new TaskEditCommand(shell))
        .addSubcommand(new TaskRetryCommand(shell))
        .addSubcommand(new TaskCancelCommand(shell))
        .addSubcommand(new TaskDeleteCommand(shell))
        .addSubcommand(new TaskMoveCommand(shell))
        .addSubcommand(new TaskPrioritiseCommand(shell))
        .addSubcommand(new TaskRescheduleCommand(shell));
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
