package dev.dibs.console;

import dev.dibs.BulkChange;
import dev.dibs.BulkOrder;
import dev.dibs.Priority;
import dev.dibs.TaskFilter;
import dev.dibs.TaskStatus;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * What is to be done to all tasks of a filter, as the address of its page says. Immutable.
 *
 * @param changed only what that bulk changed
 * @param action empty: still to be chosen
 * @param to the queue, the priority or the time that the action needs
 */
record BulkQuery(
    TaskQuery tasks, Optional<UUID> changed, Optional<TaskAction> action, Optional<String> to) {
  private static final Set<String> NAMES =
      Set.of(
          "do", "to", "changed", "status", "queue", "kind", "prio", "worker", "since", "until",
          "header", "error");

  /** Refuses what a page of ours does not ask for. */
  static BulkQuery parse(Fields query, ZoneId zone) {
    return read(query.only(NAMES), zone);
  }

  /**
   * The same from fields among which there are others.
   *
   * @param zone in which a time without one is meant
   */
  static BulkQuery read(Fields fields, ZoneId zone) {
    Optional<UUID> changed = fields.id("changed");
    boolean isNarrow = changed.isPresent() || has(fields, "queue") || has(fields, "kind");
    if (!has(fields, "status") || !isNarrow)
      throw new Refusal(
          400,
          "Which tasks?",
          "A bulk needs a status, and a queue or a kind beside it. Nothing was changed: go back to the tasks and filter them first.");
    TaskQuery tasks = TaskQuery.read(fields);
    Optional<TaskAction> action = fields.text("do").map(word -> action(word, tasks.status()));
    return new BulkQuery(
        tasks, changed, action, action.flatMap(chosen -> to(chosen, fields, zone)));
  }

  private static boolean has(Fields fields, String name) {
    return fields.text(name).isPresent();
  }

  private static TaskAction action(String word, TaskStatus status) {
    TaskAction action =
        TaskAction.named(word)
            .orElseThrow(() -> Refusal.badRequest("'do' is none of the actions."));
    if (!fits(action, status))
      throw Refusal.badRequest(
          "'%s' cannot be done to tasks that are %s.".formatted(action.word(), status));
    return action;
  }

  /** One by one more can be run again: of succeeded ones a copy, and scheduled ones at once. */
  private static boolean fits(TaskAction action, TaskStatus status) {
    boolean isRetried = status == TaskStatus.DEAD || status == TaskStatus.CANCELLED;
    return action == TaskAction.RETRY ? isRetried : action.fits(status);
  }

  private static Optional<String> to(TaskAction action, Fields fields, ZoneId zone) {
    return switch (action) {
      case MOVE -> fields.text("to", 128);
      case PRIORITISE ->
          fields.read("to", Priority::parse).map(level -> Short.toString(level.level()));
      case RESCHEDULE -> fields.read("to", text -> time(text, zone).toString());
      case RETRY, CANCEL, DELETE -> Optional.empty();
    };
  }

  /** As a field for date and time sends it, or as our own forms repeat it. */
  private static Instant time(String text, ZoneId zone) {
    return text.endsWith("Z")
        ? Instant.parse(text)
        : LocalDateTime.parse(text).atZone(zone).toInstant();
  }

  /** What can be done to tasks of that status. */
  List<TaskAction> actions(Visitor visitor) {
    return TaskAction.of(tasks.status()).stream()
        .filter(one -> fits(one, tasks.status()) && visitor.role().covers(one.role()))
        .toList();
  }

  /** Whether all is said that the action needs. */
  boolean isWhole() {
    return action
        .filter(chosen ->
            to.isPresent()
                || switch (chosen) {
                  case RETRY, CANCEL, DELETE -> true;
                  case MOVE, PRIORITISE, RESCHEDULE -> false;
                })
        .isPresent();
  }

  BulkQuery doing(TaskAction other) {
    return new BulkQuery(tasks, changed, Optional.of(other), Optional.empty());
  }

  BulkQuery asOf(Instant now) {
    return new BulkQuery(tasks.asOf(now), changed, action, to);
  }

  Url url() {
    Url page = Url.of("bulk", "new").with("do", action.map(TaskAction::word)).with("to", to);
    return tasks.on(page.with("changed", changed.map(UUID::toString)));
  }

  /** Where one goes back to. */
  Url back() {
    return changed.map(bulk -> Url.of("bulk", bulk.toString())).orElse(tasks.url());
  }

  TaskFilter filter(Instant now) {
    return tasks.filter(now);
  }

  /**
   * The order itself; everything is said.
   *
   * @param spread only tasks that run again are spread
   */
  BulkOrder order(Instant now, Duration spread, int perSecond) {
    try {
      return new BulkOrder(filter(now), changed, change(spread), perSecond);
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest(dev.dibs.Text.storable(String.valueOf(e.getMessage())) + ".");
    }
  }

  private BulkChange change(Duration spread) {
    String target = to.orElse("");
    return switch (action.orElseThrow()) {
      case RETRY -> new BulkChange.Retry(spread);
      case CANCEL -> new BulkChange.Cancel();
      case DELETE -> new BulkChange.Delete();
      case MOVE -> new BulkChange.Move(target);
      case PRIORITISE -> new BulkChange.Prioritise(Priority.parse(target));
      case RESCHEDULE -> new BulkChange.Reschedule(Instant.parse(target));
    };
  }
}
