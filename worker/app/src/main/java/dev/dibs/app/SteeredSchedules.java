package dev.dibs.app;

import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.Pause;
import dev.dibs.operations.Operations.Answer.Result;
import dev.dibs.operations.Timetable;
import dev.dibs.sql.ListSchedules;
import dev.dibs.sql.Migrations;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/** The schedules of a database for whoever has the role operator, who sees no payload. */
record SteeredSchedules(DataSource source, Schema schema) {
  private static final Duration LONGEST_STATEMENT = Duration.ofMinutes(1);
  private static final int NAMES = 20;

  private interface Look<R> {
    R at(ListSchedules schedules, Connection connection) throws SQLException;
  }

  /** Those of the database that the options name, if this build can work with it. */
  static SteeredSchedules open(DatabaseOptions options, Shell shell) throws InterruptedException {
    DataSource source = options.find(shell, "schedules").plain(LONGEST_STATEMENT);
    try (Connection connection = source.getConnection()) {
      Migrations.check(connection, options.schema());
      return new SteeredSchedules(source, options.schema());
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  Timetable timetable() {
    return Timetable.on(source, schema);
  }

  /** When it ticks next, as its clock shows it. */
  String nextTick(String name) {
    return look((schedules, connection) -> schedules.find(connection, name))
        .map(row -> ScheduleText.tick(row.ticks().next(), ZoneId.of(row.ticks().zone())))
        .orElseThrow(() -> unknown(name));
  }

  /** Why it was left as it is. */
  DibsException left(String name, Result result, Optional<Pause> pause, String message) {
    if (result == Result.MISSING) return unknown(name);
    return new DibsException(
        pause
                .map(p -> "schedule '%s' is paused by %s: %s".formatted(name, p.by(), p.why()))
                .orElse(message)
            + "; it was left so");
  }

  private DibsException unknown(String name) {
    List<String> names =
        look((schedules, connection) -> schedules.list(connection, "", "", NAMES)).stream()
            .map(ListSchedules.Row::name)
            .toList();
    return SchedulesCommand.unknown(names, name);
  }

  private <R> R look(Look<R> look) {
    try (Connection connection = source.getConnection()) {
      return look.at(new ListSchedules(schema), connection);
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  private static DatabaseException failed(SQLException e) {
    return new DatabaseException("the database could not be asked for its schedules", e);
  }
}
