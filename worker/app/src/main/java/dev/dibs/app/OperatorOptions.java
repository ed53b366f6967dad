package dev.dibs.app;

import dev.dibs.DatabaseException;
import dev.dibs.Request;
import dev.dibs.operations.Operations;
import dev.dibs.sql.Migrations;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.function.Supplier;
import javax.sql.DataSource;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of whatever is done by hand: on which database, and who does it. */
final class OperatorOptions {
  private static final Duration LONGEST_STATEMENT = Duration.ofMinutes(1);

  @Option(
      names = "--by",
      paramLabel = "NAME",
      description = "Who does it; the user of this process where none is given.")
  String by = System.getProperty("user.name", "unknown");

  @Mixin DatabaseOptions database = new DatabaseOptions();

  /** A request of this user's; the audit keeps it. */
  Request request(String why) {
    return meant(() -> Request.of(by, "cli", why));
  }

  /** What {@code asked} answers; what makes no sense to it is wrong usage. */
  static <R> R meant(Supplier<R> asked) {
    try {
      return asked.get();
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }

  Operations open(Shell shell, String command) throws InterruptedException {
    return open(database, shell, command);
  }

  /** Operations on the database that the options name, if this build can work with it. */
  static Operations open(DatabaseOptions options, Shell shell, String command)
      throws InterruptedException {
    DataSource source = options.find(shell, command).plain(LONGEST_STATEMENT);
    try (Connection connection = source.getConnection()) {
      Migrations.check(connection, options.schema());
      return Operations.on(source, options.schema());
    } catch (SQLException e) {
      throw new DatabaseException("the database could not be asked for its " + command, e);
    }
  }
}
