package dev.dibs.operations;

import dev.dibs.DatabaseException;
import dev.dibs.Pause;
import dev.dibs.Request;
import dev.dibs.operations.Operations.Answer.Result;
import dev.dibs.sql.Schema;
import dev.dibs.sql.SteerSchedules;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * What people do to schedules: pause, resume, and run one now.
 *
 * <p>Each is one transaction with its row in the audit, also where it came too late; a {@link
 * Request} that is sent twice is done once. It takes the role operator. Thread-safe; holds nothing
 * that would have to be closed. Every method throws {@link DatabaseException} if the database
 * cannot answer, and {@link IllegalArgumentException} for what is no name; nothing was changed
 * then.
 */
public final class Timetable {
  /**
   * What came of a pause or its end: DONE, STALE or MISSING.
   *
   * @param pause how it stands now: who comes second sees who was first, and why
   * @param message why nothing was changed; else empty
   */
  public record PauseAnswer(Result result, Optional<Pause> pause, String message) {}

  /**
   * What came of a run by hand: DONE, MISSING, or REFUSED where it would overlap.
   *
   * @param task which was enqueued, if one was
   * @param message why none was; else empty
   */
  public record RunAnswer(Result result, Optional<UUID> task, String message) {}

  private final OwnTransaction own;
  private final SteerSchedules steer;

  private Timetable(DataSource dataSource, Schema schema) {
    this.own = new OwnTransaction(dataSource);
    this.steer = new SteerSchedules(schema);
  }

  /** The schedules of the schema {@code dibs}. */
  public static Timetable on(DataSource dataSource) {
    return on(dataSource, Schema.DEFAULT);
  }

  public static Timetable on(DataSource dataSource, Schema schema) {
    return new Timetable(dataSource, schema);
  }

  /** Stops its ticks, not the tasks that are there, until it is resumed. */
  public PauseAnswer pause(String name, Request request) {
    return own.act(
        "schedule '%s' could not be paused".formatted(name),
        connection -> answer(steer.pause(connection, name, request)));
  }

  /**
   * Lets it tick again, from now on: what passed while it was paused was not missed.
   *
   * @throws dev.dibs.DibsException if this build does not understand when it ticks
   */
  public PauseAnswer resume(String name, Request request) {
    return own.act(
        "schedule '%s' could not be resumed".formatted(name),
        connection -> answer(steer.resume(connection, name, request)));
  }

  private static PauseAnswer answer(SteerSchedules.Switched switched) {
    return new PauseAnswer(Result.of(switched.result()), switched.pause(), switched.message());
  }

  /** Enqueues now what a tick would, also while it is paused; when it ticks stays as it is. */
  public RunAnswer run(String name, Request request) {
    return own.act(
        "schedule '%s' could not be run".formatted(name),
        connection -> {
          SteerSchedules.Ran ran = steer.run(connection, name, request);
          return new RunAnswer(Result.of(ran.result()), ran.task(), ran.message());
        });
  }
}
