package dev.dibs.console;

import dev.dibs.TaskStatus;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What a person can do to a task, said before it is done. */
enum TaskAction {
  RETRY(
      "Run again",
      "Each becomes ready at once: a finished one runs again and keeps its history, a scheduled one no longer waits, of a succeeded one a copy runs."),
  CANCEL(
      "Cancel",
      "Each ends as CANCELLED and does not run again. One that runs is asked to stop; what it has done so far stays done."),
  PRIORITISE("Change the priority of", "Each goes to the end of the lane of its new priority."),
  MOVE("Move", "Each goes to another queue, with its priority, and waits at its end."),
  RESCHEDULE("Reschedule", "Each runs at the new time and not before."),
  DELETE(
      "Delete",
      "Each is gone, with its history. This cannot be undone; only the audit remembers it.");

  private final String verb;
  private final String effect;

  TaskAction(String verb, String effect) {
    this.verb = verb;
    this.effect = effect;
  }

  String verb() {
    return verb;
  }

  /** On a button, where no number follows. */
  String label() {
    return this == PRIORITISE ? "Change priority" : verb;
  }

  String effect() {
    return effect;
  }

  /** As it stands in addresses and forms. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  Role role() {
    return this == DELETE ? Role.ADMIN : Role.OPERATOR;
  }

  /** Refuses who may not. */
  TaskAction by(Visitor visitor) {
    if (!visitor.role().covers(role()))
      throw Refusal.forbidden(
          "To %s a task needs the role %s; you are %s. Nothing was changed."
              .formatted(word(), role().word(), visitor.role().word()));
    return this;
  }

  boolean isDangerous() {
    return this == DELETE || this == CANCEL;
  }

  boolean fits(TaskStatus status) {
    boolean waits = !status.isFinal() && status != TaskStatus.PROCESSING;
    return switch (this) {
      case RETRY -> status.isFinal() || status == TaskStatus.SCHEDULED;
      case CANCEL -> !status.isFinal();
      case PRIORITISE, MOVE, RESCHEDULE -> waits;
      case DELETE -> waits || status.isFinal();
    };
  }

  static List<TaskAction> of(TaskStatus status) {
    return Arrays.stream(values()).filter(action -> action.fits(status)).toList();
  }

  static Optional<TaskAction> named(String word) {
    return Arrays.stream(values()).filter(action -> action.word().equals(word)).findFirst();
  }
}
