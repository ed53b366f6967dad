package dev.dibs.console;

import dev.dibs.DibsException;
import dev.dibs.Request;
import dev.dibs.operations.Operations.Answer.Result;
import dev.dibs.operations.Timetable;
import dev.dibs.sql.ListSchedules;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Schedules: a list in pages, each by itself, and what is done to one by hand. */
final class SchedulePages {
  private static final int ROWS = 50;
  private static final int LONGEST = 128;
  private static final List<String> WORDS = List.of("pause", "resume", "run");

  private final Desk desk;
  private final Steering steering;
  private final ListSchedules schedules;
  private final Timetable timetable;

  SchedulePages(Desk desk, Steering steering) {
    this.desk = desk;
    this.steering = steering;
    this.schedules = new ListSchedules(desk.database().schema());
    this.timetable = Timetable.on(desk.database().writes(), desk.database().schema());
  }

  /**
   * A page of schedules, for the template.
   *
   * @param prefix of their names
   * @param isOne whether it is the page of one of them
   */
  record Shown(
      List<ListSchedules.Row> rows,
      String prefix,
      boolean isFirst,
      Optional<Url> next,
      boolean isOne) {}

  List<Route> routes() {
    return List.of(
        Route.get("/schedules", this::list),
        Route.get("/schedules/{name}", this::one),
        steering.asks("/schedules/{name}/confirm", this::lever),
        steering.acts("/schedules/{name}/act", Role.OPERATOR, this::steer));
  }

  private Answer list(Visit visit) throws SQLException {
    Fields query = visit.query().only(Set.of("q", "after"));
    String prefix = query.text("q", LONGEST).orElse("");
    String after = query.text("after", LONGEST).orElse("");
    List<ListSchedules.Row> found;
    try (Connection connection = desk.database().reads().getConnection()) {
      found = schedules.list(connection, prefix, after, ROWS + 1);
    }
    List<ListSchedules.Row> rows = found.subList(0, Math.min(ROWS, found.size()));
    Optional<Url> next =
        found.size() <= ROWS
            ? Optional.empty()
            : Optional.of(
                Url.of("schedules")
                    .with("q", query.text("q"))
                    .with("after", rows.getLast().name()));
    return page(visit, "Schedules", new Shown(rows, prefix, after.isEmpty(), next, false));
  }

  private Answer one(Visit visit) throws SQLException {
    visit.query().only(Set.of());
    var shown = new Shown(List.of(row(visit)), "", true, Optional.empty(), true);
    return page(visit, visit.name(), shown);
  }

  private Answer page(Visit visit, String title, Shown shown) {
    Frame frame = desk.site().frame(visit, title);
    return Answer.page(
        200, SafeOutput.of(out -> JteschedulesGenerated.render(out, out, frame, shown)));
  }

  private ListSchedules.Row row(Visit visit) throws SQLException {
    try (Connection connection = desk.database().reads().getConnection()) {
      return schedules
          .find(connection, visit.name())
          .orElseThrow(
              () -> Refusal.notFound("There is no schedule '" + visit.name() + "' any more."));
    }
  }

  private Lever lever(Visit visit, Fields fields) throws SQLException {
    ListSchedules.Row row = row(visit);
    String word = fields.oneOf("do", WORDS);
    List<String> effects = new ArrayList<>();
    row.paused().ifPresent(paused -> effects.add("It is " + paused));
    effects.add(
        switch (word) {
          case "pause" -> "It ticks no more until it is resumed; the tasks that are there stay.";
          case "resume" -> "It ticks again from now on; what passed meanwhile does not run.";
          default ->
              "A task of kind %s is enqueued in queue %s now; when it ticks stays as it is."
                  .formatted(row.kind(), row.queue());
        });
    return new Lever("schedule", row.name(), row.name(), word, effects, word.equals("pause"));
  }

  private Answer steer(Visit visit, Request request) throws SQLException {
    Lever lever = lever(visit, visit.form());
    try {
      return switch (lever.word()) {
        case "pause" ->
            paused(visit, lever, timetable.pause(lever.key(), Steering.withReason(request)));
        case "resume" -> paused(visit, lever, timetable.resume(lever.key(), request));
        default -> ran(visit, lever, timetable.run(lever.key(), request));
      };
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest(e.getMessage() + ".");
    } catch (Refusal | dev.dibs.DatabaseException e) {
      throw e;
    } catch (DibsException e) { // it ticks in a way that this build does not know
      return steering.done(visit, lever, Result.REFUSED, String.valueOf(e.getMessage()));
    }
  }

  private Answer paused(Visit visit, Lever lever, Timetable.PauseAnswer answer) {
    Optional<String> stands = answer.pause().map(SteerPages::paused);
    return steering.done(visit, lever, answer.result(), stands.orElse(answer.message()));
  }

  private Answer ran(Visit visit, Lever lever, Timetable.RunAnswer answer) {
    if (answer.task().isPresent() && answer.result() == Result.DONE)
      return Answer.to(Url.of("tasks", answer.task().get().toString()));
    return steering.done(visit, lever, answer.result(), answer.message());
  }
}
