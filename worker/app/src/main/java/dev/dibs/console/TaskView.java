package dev.dibs.console;

import dev.dibs.TaskPage;
import dev.dibs.TaskPage.AttemptError;
import dev.dibs.TaskRow;
import dev.dibs.operations.Explanation;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * One task, for the template.
 *
 * @param explanation empty: it could not be had
 * @param payload only where it was asked for
 * @param request what the form that asks for it is known by
 */
record TaskView(
    TaskPage page,
    Optional<Explanation> explanation,
    Optional<String> payload,
    Optional<Sample> sample,
    UUID request) {
  private static final int SHOWN = 64 << 10;

  /** Something that happened to the task. */
  record Moment(Instant at, String what, boolean isPast) {}

  TaskRow row() {
    return page.row();
  }

  String worker(UUID id) {
    return sample.map(seen -> seen.workerName(id)).orElse(Sample.shortId(id));
  }

  /** What is known of its life, the oldest first. */
  List<Moment> timeline() {
    List<Moment> moments = new ArrayList<>();
    TaskRow.Times times = row().times();
    moments.add(past(times.created(), "enqueued"));
    for (AttemptError error : page.errors())
      moments.add(past(error.at(), "attempt " + error.attempt() + " ended: " + error.type()));
    times.claimed().ifPresent(at -> moments.add(past(at, "attempt " + row().attempt() + " began")));
    times
        .finished()
        .ifPresent(
            at -> moments.add(past(at, row().status().name().toLowerCase(java.util.Locale.ROOT))));
    if (times.finished().isEmpty() && times.runAt().isAfter(times.created()))
      moments.add(
          new Moment(
              times.runAt(), times.runAt().isAfter(page.seenAt()) ? "is due" : "was due", false));
    moments.sort(Comparator.comparing(Moment::at));
    return moments;
  }

  private static Moment past(Instant at, String what) {
    return new Moment(at, what, true);
  }

  /** Newest first. */
  List<AttemptError> errors() {
    return page.errors().reversed();
  }

  static String cut(String text) {
    return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "\n… cut at 64 KiB";
  }

  /** Whether it has a box to scroll in, which keys must reach. */
  static boolean isLong(String text) {
    return text.length() > 500 || lines(text) > 5;
  }

  static long lines(String text) {
    return text.lines().count();
  }

  /** What can be done to it as it is now. */
  List<TaskAction> actions(Frame frame) {
    return TaskAction.of(row().status()).stream()
        .filter(action -> frame.visit().visitor().role().covers(action.role()))
        .toList();
  }

  Url confirm(TaskAction action) {
    return Url.of("tasks", "confirm").with("do", action.word()).with("task", TaskList.seen(row()));
  }

  static String mark(Explanation.Effect effect) {
    return switch (effect) {
      case FULFILLED -> "✓";
      case BLOCKING -> "✗";
      case NOTE -> "!";
      case UNKNOWN -> "?";
    };
  }

  static String style(Explanation.Effect effect) {
    return switch (effect) {
      case FULFILLED -> "good";
      case BLOCKING -> "bad";
      case NOTE, UNKNOWN -> "warn";
    };
  }
}
