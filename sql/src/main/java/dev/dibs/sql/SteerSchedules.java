package dev.dibs.sql;

import dev.dibs.DibsException;
import dev.dibs.Pause;
import dev.dibs.Request;
import dev.dibs.Rhythm;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Pauses and resumes schedules, and runs them once, as people ask for it.
 *
 * <p>Each is one call of a function of the schema, which compares and sets and writes the audit;
 * before one is resumed it is read, as only Java knows when it ticks next. Index: primary keys.
 * Locks: the one row, which is waited for. Thread-safe.
 */
public final class SteerSchedules {
  /**
   * What came of a pause or its end.
   *
   * @param result done, stale or missing
   * @param pause how it stands now: who came second sees what the first said
   * @param message why nothing was changed; else empty
   */
  public record Switched(String result, Optional<Pause> pause, String message) {}

  /**
   * What came of a run by hand.
   *
   * @param result done, missing or refused
   * @param task which was enqueued, if one was
   * @param message why none was; else empty
   */
  public record Ran(String result, Optional<UUID> task, String message) {}

  /** When it ticks next if it is resumed now, and since when it stands so. */
  private record Next(OffsetDateTime seen, OffsetDateTime tick) {}

  private final Schema schema;

  public SteerSchedules(Schema schema) {
    this.schema = schema;
  }

  /** Stops its ticks, not the tasks that are there, until it is resumed. */
  public Switched pause(Connection connection, String name, Request request) throws SQLException {
    try (var statement = call(connection, "pause_schedule(?, ")) {
      statement.setString(1, name);
      Steer.ask(statement, 2, request);
      return switched(statement);
    }
  }

  /**
   * Lets it tick again, from now on.
   *
   * @throws DibsException if this build does not understand when it ticks
   */
  public Switched resume(Connection connection, String name, Request request) throws SQLException {
    Optional<Next> next = next(connection, name);
    OffsetDateTime epoch = Instant.EPOCH.atOffset(ZoneOffset.UTC); // of one that is not there
    try (var statement = call(connection, "resume_schedule(?, ?, ?, ")) {
      statement.setString(1, name);
      statement.setObject(2, next.map(Next::seen).orElse(epoch));
      statement.setObject(3, next.map(Next::tick).orElse(epoch));
      Steer.ask(statement, 4, request);
      return switched(statement);
    }
  }

  private static Switched switched(PreparedStatement statement) throws SQLException {
    try (var rows = statement.executeQuery()) {
      rows.next();
      return new Switched(rows.getString(1), Steer.pause(rows, 2), rows.getString(5));
    }
  }

  /** Enqueues now what a tick of it would, also while it is paused. */
  public Ran run(Connection connection, String name, Request request) throws SQLException {
    try (var statement = call(connection, "run_schedule(?, ")) {
      statement.setString(1, name);
      Steer.ask(statement, 2, request);
      try (var rows = statement.executeQuery()) {
        rows.next();
        return new Ran(
            rows.getString(1),
            Optional.ofNullable(rows.getObject(2, UUID.class)),
            rows.getString(3));
      }
    }
  }

  private PreparedStatement call(Connection connection, String function) throws SQLException {
    return connection.prepareStatement(
        "select * from \"%s\".%s".formatted(schema.name(), function) + Steer.ASKED);
  }

  private Optional<Next> next(Connection connection, String name) throws SQLException {
    String sql =
        """
        select changed_at, greatest(last_tick_at, clock_timestamp()), cron, (extract(epoch from every) * 1000000)::int8, zone
        from "%s".schedule where name = ?\
        """
            .formatted(schema.name());
    List<Next> found =
        Rows.list(
            connection,
            sql,
            row -> {
              long micros = row.getLong(4);
              @Nullable Duration every = row.wasNull() ? null : Time.ofMicros(micros);
              Rhythm rhythm = understood(name, row.getString(3), every, row.getString(5));
              Instant decided = row.getObject(2, OffsetDateTime.class).toInstant();
              return new Next(
                  row.getObject(1, OffsetDateTime.class),
                  rhythm.next(decided).atOffset(ZoneOffset.UTC));
            },
            name);
    return found.stream().findFirst();
  }

  private static Rhythm understood(
      String name, @Nullable String cron, @Nullable Duration every, String zone) {
    try {
      return ScheduleRows.rhythm(cron, every, zone);
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new DibsException(
          "schedule '%s' is not understood by this build: %s; use the build that wrote it, or remove it"
              .formatted(name, e.getMessage()),
          e);
    }
  }
}
