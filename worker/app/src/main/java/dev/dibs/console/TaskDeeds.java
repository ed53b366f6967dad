package dev.dibs.console;

import dev.dibs.Priority;
import dev.dibs.Request;
import dev.dibs.TaskRow;
import dev.dibs.TaskStatus;
import dev.dibs.operations.Operations;
import dev.dibs.operations.Operations.Seen;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * What people do to tasks: a page that says what will happen, then the deed, each task by itself
 * and only if it is still as it was seen.
 */
final class TaskDeeds {
  private static final int MOST = 200;

  private final Desk desk;
  private final ActionLimit limit;

  TaskDeeds(Desk desk, ActionLimit limit) {
    this.desk = desk;
    this.limit = limit;
  }

  /** What is about to be done, to which tasks; {@code now} is each as it is at present. */
  record Plan(TaskAction action, List<Target> targets, UUID request) {
    /** "Cancel 48 tasks". */
    String title() {
      return action.verb() + " " + Show.plural(targets.size(), "task");
    }

    boolean isStale() {
      return targets.stream().anyMatch(target -> !target.isAsSeen());
    }
  }

  /** A task as it was seen and as it is. */
  record Target(Seen seen, Optional<TaskRow> now) {
    boolean isAsSeen() {
      return now.filter(row -> row.status() == seen.status() && row.attempt() == seen.attempt())
          .isPresent();
    }

    String text() {
      return seen.id() + ":" + seen.status() + ":" + seen.attempt();
    }
  }

  /** What came of it, for one task. */
  record Outcome(Seen seen, Operations.Answer answer) {}

  List<Route> routes() {
    return List.of(
        Route.action("GET", "/tasks/confirm", Role.OPERATOR, this::confirmOne),
        Route.action("POST", "/tasks/confirm", Role.OPERATOR, this::confirmChosen),
        Route.action("POST", "/tasks/act", Role.OPERATOR, this::act));
  }

  private Answer confirmOne(Visit visit) {
    return confirm(visit, visit.query());
  }

  private Answer confirmChosen(Visit visit) {
    return confirm(visit, visit.form());
  }

  private Answer confirm(Visit visit, Fields fields) {
    TaskAction action = action(visit, fields);
    List<Target> targets =
        seen(fields).stream().map(seen -> new Target(seen, now(seen.id()))).toList();
    Frame frame = desk.site().frame(visit, action.label());
    var plan = new Plan(action, targets, UUID.randomUUID());
    return Answer.page(
        200, SafeOutput.of(out -> JteconfirmGenerated.render(out, out, frame, plan)));
  }

  private Optional<TaskRow> now(UUID id) {
    return desk.reads().find(id).map(page -> page.row());
  }

  private static TaskAction action(Visit visit, Fields fields) {
    return TaskAction.named(fields.needed("do"))
        .orElseThrow(() -> Refusal.badRequest("'do' is none of the actions."))
        .by(visit.visitor());
  }

  private static List<Seen> seen(Fields fields) {
    List<Seen> all = new ArrayList<>();
    for (String text : fields.all("task")) {
      String[] parts = text.split(":", -1);
      try {
        if (parts.length != 3) throw new IllegalArgumentException(text);
        all.add(
            new Seen(
                Fields.uuid(parts[0]), TaskStatus.valueOf(parts[1]), Integer.parseInt(parts[2])));
      } catch (IllegalArgumentException e) {
        throw Refusal.badRequest("A task is not as pages write it. Nothing was changed.");
      }
    }
    if (all.isEmpty()) throw Refusal.badRequest("No task was chosen. Go back and choose some.");
    if (all.size() > MOST) throw Refusal.badRequest("At most " + MOST + " tasks at once.");
    return all;
  }

  private Answer act(Visit visit) {
    Fields form = visit.form();
    TaskAction action = action(visit, form);
    List<Seen> targets = seen(form);
    UUID request =
        form.id("request").orElseThrow(() -> Refusal.badRequest("'request' is missing."));
    String why = form.text("why", 2_000).orElse("");
    limit.admit(visit);
    Deed deed = deed(action, visit);
    List<Outcome> outcomes = new ArrayList<>();
    for (Seen seen : targets)
      outcomes.add(new Outcome(seen, deed.to(seen, Desk.request(visit, of(request, seen), why))));
    return result(visit, new TaskResult(action, outcomes, desk.sampler().latest()));
  }

  private Answer result(Visit visit, TaskResult result) {
    Frame frame = desk.site().frame(visit, result.title());
    return Answer.page(
        result.isStale() ? 409 : 200,
        SafeOutput.of(out -> JteresultGenerated.render(out, out, frame, result)));
  }

  /** Sent twice, each task is asked the same twice. */
  private static UUID of(UUID request, Seen seen) {
    return UUID.nameUUIDFromBytes((request + "/" + seen.id()).getBytes(StandardCharsets.UTF_8));
  }

  private interface Deed {
    Operations.Answer to(Seen seen, Request request);
  }

  /** Reads what the action needs before any task is touched. */
  private Deed deed(TaskAction action, Visit visit) {
    Operations operations = desk.writes();
    Fields form = visit.form();
    return switch (action) {
      case RETRY -> (seen, request) -> operations.retry(seen, Duration.ZERO, request);
      case CANCEL -> operations::cancel;
      case DELETE -> operations::delete;
      case MOVE -> {
        String queue =
            form.text("queue", 128).orElseThrow(() -> Refusal.badRequest("'queue' is missing."));
        yield (seen, request) -> operations.move(seen, queue, request);
      }
      case PRIORITISE -> {
        Priority priority =
            form.read("prio", Priority::parse)
                .orElseThrow(() -> Refusal.badRequest("'prio' is missing."));
        yield (seen, request) -> operations.prioritise(seen, priority, request);
      }
      case RESCHEDULE -> {
        Instant at = runAt(visit);
        yield (seen, request) -> operations.reschedule(seen, at, request);
      }
    };
  }

  /** As a field for date and time sends it, in the zone of the pages. */
  private static Instant runAt(Visit visit) {
    ZoneId zone = visit.preferences().zoneOrUtc();
    LocalDateTime at =
        visit
            .form()
            .read("at", LocalDateTime::parse)
            .orElseThrow(() -> Refusal.badRequest("'at' is missing."));
    if (zone.getRules().getValidOffsets(at).isEmpty())
      throw Refusal.badRequest(
          "%s does not exist in %s: the clocks are put forward then. Nothing was changed."
              .formatted(at, zone));
    return at.atZone(zone).toInstant();
  }
}
