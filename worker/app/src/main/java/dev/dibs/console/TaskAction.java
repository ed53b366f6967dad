package dev.dibs.console;

import static dev.dibs.TaskStatus.BLOCKED;
import static dev.dibs.TaskStatus.CANCELLED;
import static dev.dibs.TaskStatus.DEAD;
import static dev.dibs.TaskStatus.PENDING;
import static dev.dibs.TaskStatus.PROCESSING;
import static dev.dibs.TaskStatus.SCHEDULED;
import static dev.dibs.TaskStatus.SUCCEEDED;

import dev.dibs.TaskStatus;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** What a person can do to a task, said before it is done. */
enum TaskAction {
  RETRY(
      "Run again",
      "Each becomes ready at once: a finished one runs again and keeps its history, a scheduled one no longer waits, of a succeeded one a copy runs.",
      Set.of(SCHEDULED, SUCCEEDED, DEAD, CANCELLED)),
  CANCEL(
      "Cancel",
      "Each ends as CANCELLED and does not run again. One that runs is asked to stop; what it has done so far stays done.",
      Set.of(SCHEDULED, BLOCKED, PENDING, PROCESSING)),
  PRIORITISE(
      "Change priority of",
      "Each goes to the end of the lane of its new priority.",
      Set.of(SCHEDULED, BLOCKED, PENDING)),
  MOVE(
      "Move",
      "Each goes to another queue, with its priority, and waits at its end.",
      Set.of(SCHEDULED, BLOCKED, PENDING)),
  RESCHEDULE(
      "Reschedule",
      "Each runs at the new time and not before.",
      Set.of(SCHEDULED, BLOCKED, PENDING)),
  DELETE(
      "Delete",
      "Each is gone, with its history. This cannot be undone; only the audit remembers it.",
      Set.of(SCHEDULED, BLOCKED, PENDING, SUCCEEDED, DEAD, CANCELLED));

  private final String verb;
  private final String effect;
  private final Set<TaskStatus> statuses;

  TaskAction(String verb, String effect, Set<TaskStatus> statuses) {
    this.verb = verb;
    this.effect = effect;
    this.statuses = statuses;
  }

  String verb() {
    return verb;
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

  boolean isDangerous() {
    return this == DELETE || this == CANCEL;
  }

  boolean fits(TaskStatus status) {
    return statuses.contains(status);
  }

  static List<TaskAction> of(TaskStatus status) {
    return Arrays.stream(values()).filter(action -> action.fits(status)).toList();
  }

  static Optional<TaskAction> named(String word) {
    return Arrays.stream(values()).filter(action -> action.word().equals(word)).findFirst();
  }
}
