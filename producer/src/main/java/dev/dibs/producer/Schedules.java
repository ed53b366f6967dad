package dev.dibs.producer;

import dev.dibs.DatabaseException;
import dev.dibs.Schedule;
import dev.dibs.Scheduled;
import dev.dibs.sql.Bell;
import dev.dibs.sql.ScheduleRows;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.jooq.exception.DataAccessException;

/**
 * The schedules in the database: adds, changes, pauses and removes them while workers run.
 *
 * <p>Each call is a transaction of its own on a connection of the data source, or belongs to that
 * of Spring's in which the data source takes part; workers go by it from their next look on, within
 * seconds. Thread-safe; holds nothing that would have to be closed. Every method throws {@link
 * DatabaseException} if the database cannot answer; the call may be repeated then.
 */
public final class Schedules {
  /** Under strict isolation two who change a schedule meet so; each call may simply be repeated. */
  private static final Set<String> OVERTAKEN = Set.of("40001", "40P01");

  private static final int TRIES = 20;

  private final DataSource dataSource;
  private final Surrounding surrounding;
  private final Schema schema;
  private final ScheduleRows rows;
  private final Bell bell;

  private Schedules(DataSource dataSource, ProducerSettings settings) {
    this.dataSource = dataSource;
    this.surrounding = new Surrounding(dataSource);
    this.schema = settings.schema();
    this.rows = new ScheduleRows(schema, settings.codec());
    this.bell = new Bell(schema);
  }

  /** The schedules of the schema {@code dibs}. */
  public static Schedules on(DataSource dataSource) {
    return on(dataSource, ProducerSettings.DEFAULT);
  }

  /** The schedules of the settings' schema; payloads are written by its codec. */
  public static Schedules on(DataSource dataSource, ProducerSettings settings) {
    return new Schedules(dataSource, settings);
  }

  /** All schedules, by name. The payloads of their tasks are {@link dev.dibs.Json}. */
  public List<Scheduled> list() {
    return use("the schedules could not be read", rows::all).stream()
        .map(ScheduleRows.Row::scheduled)
        .toList();
  }

  public Optional<Scheduled> find(String name) {
    return use("schedule '%s' could not be read".formatted(name), on -> rows.find(on, name))
        .map(ScheduleRows.Row::scheduled);
  }

  /**
   * Adds a schedule, which ticks from now on.
   *
   * @return false if there is one of its name; that is left as it is
   * @throws dev.dibs.PayloadException if the payload or the headers of its task cannot be kept
   */
  public boolean add(Schedule schedule) {
    return use(
        "schedule '%s' could not be added".formatted(schedule.name()),
        connection -> {
          boolean added = rows.insertIfAbsent(connection, schedule);
          if (added) ring(connection, schedule);
          return added;
        });
  }

  /**
   * Changes a schedule to what {@code change} makes of it, under the next version, so that no
   * declaration of the old version brings the old one back. With the same rhythm it keeps its next
   * tick, with another it ticks by that from now on. A paused one stays paused.
   *
   * @param change may be called more than once, if others change the schedule meanwhile
   * @return the schedule as it is now; empty if there is none of that name
   * @throws dev.dibs.PayloadException if the payload or the headers of its task cannot be kept
   */
  public Optional<Schedule> change(String name, UnaryOperator<Schedule> change) {
    return use(
        "schedule '%s' could not be changed".formatted(name),
        connection -> {
          while (true) {
            Optional<ScheduleRows.Row> seen = rows.find(connection, name);
            if (seen.isEmpty()) return Optional.empty();
            Schedule standing = seen.get().scheduled().schedule();
            Schedule changed = change.apply(standing).version(standing.version() + 1);
            if (rows.changeIfAsSeen(connection, seen.get(), changed)) {
              ring(connection, changed);
              return Optional.of(changed);
            }
          }
        });
  }

  /**
   * Stops a schedule's ticks, not the tasks that are there, until it is resumed.
   *
   * @param by who does it, and {@code why}: shown to whoever wonders
   * @return false if there is none of that name
   */
  public boolean pause(String name, String by, String why) {
    return use(
        "schedule '%s' could not be paused".formatted(name),
        connection -> rows.pause(connection, name, by, why));
  }

  /**
   * Lets a schedule tick again, from now on: what passed while it was paused was not missed. One
   * that is not paused is left as it is.
   *
   * @return false if there is none of that name
   */
  public boolean resume(String name) {
    return use(
        "schedule '%s' could not be resumed".formatted(name),
        connection -> {
          while (true) {
            Optional<ScheduleRows.Row> seen = rows.find(connection, name);
            if (seen.isEmpty()) return false;
            Scheduled standing = seen.get().scheduled();
            if (standing.pause().isEmpty()) return true;
            if (rows.resumeIfAsSeen(connection, seen.get())) {
              ring(connection, standing.schedule());
              return true;
            }
          }
        });
  }

  /**
   * Removes a schedule; the tasks that are there stay. A worker that declares it enters it again
   * when it starts.
   *
   * @return false if there was none of that name
   */
  public boolean remove(String name) {
    return use(
        "schedule '%s' could not be removed".formatted(name),
        connection -> rows.remove(connection, name));
  }

  /** A bell makes workers look for what is due, and see when the next tick is. */
  private void ring(Connection connection, Schedule schedule) throws SQLException {
    bell.ring(connection, Set.of(schedule.task().options().queue()));
  }

  private <R> R use(String failed, Surrounding.Work<R> work) {
    Surrounding.Work<R> plain =
        connection ->
            Rights.asWorker(schema, "scheduling", connection, there -> unwrapping(work, there));
    return surrounding.join(failed, plain).orElseGet(() -> useAlone(failed, plain));
  }

  private static <R> R unwrapping(Surrounding.Work<R> work, Connection connection)
      throws SQLException {
    try {
      return work.on(connection);
    } catch (DataAccessException e) {
      SQLException cause = e.getCause(SQLException.class);
      if (cause == null) throw e;
      throw cause;
    }
  }

  private <R> R useAlone(String failed, Surrounding.Work<R> work) {
    for (int tries = 1; ; tries++) {
      try {
        return useOnce(failed, work);
      } catch (DatabaseException e) {
        if (tries == TRIES || !OVERTAKEN.contains(e.sqlState())) throw e;
      }
    }
  }

  private <R> R useOnce(String failed, Surrounding.Work<R> work) {
    try (Lent lent = Lent.from(dataSource)) {
      return work.on(lent.connection());
    } catch (SQLException e) {
      throw new DatabaseException(failed, e);
    }
  }
}
