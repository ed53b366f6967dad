package dev.dibs.console;

import dev.dibs.BulkChange;
import dev.dibs.BulkRow;
import dev.dibs.BulkRow.Status;
import dev.dibs.TaskStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A bulk and how far it is, for templates.
 *
 * @param perSecond lately, where it runs
 */
record BulkView(BulkRow row, Optional<Double> perSecond, BulkWords words) {
  /** Something that can be done to what it changed, and nothing else. */
  record Next(String text, Url url) {}

  Url url() {
    return Url.of("bulk", row.id().toString());
  }

  String order() {
    return words.order(row.order());
  }

  boolean isRunning() {
    return row.status() == Status.RUNNING && row.state().driven();
  }

  /** Its process went away without a word. */
  boolean isAlone() {
    return row.status() == Status.RUNNING && !row.state().driven();
  }

  boolean canBeResumed() {
    return isAlone() || row.status() == Status.STOPPED || row.status() == Status.FAILED;
  }

  String state() {
    if (isAlone()) return "▲ its process is gone";
    return switch (row.status()) {
      case RUNNING -> "▶ running";
      case STOPPED -> "■ interrupted";
      case DONE -> "✓ done";
      case FAILED -> "✕ failed";
    };
  }

  String style() {
    if (isAlone()) return "warn";
    return switch (row.status()) {
      case RUNNING -> "";
      case STOPPED -> "warn";
      case DONE -> "good";
      case FAILED -> "bad";
    };
  }

  /** "41,500 of 61,200". */
  String seen() {
    var expected = row.progress().expected();
    String seen = Show.count(row.progress().seen());
    return expected.isPresent() ? seen + " of " + Show.count(expected.getAsLong()) : seen;
  }

  /** How full its bar is and can be; empty: nobody counted. */
  Optional<Bar> bar() {
    if (row.status() == Status.DONE) return Optional.of(new Bar(1, 1));
    var expected = row.progress().expected();
    if (expected.isEmpty()) return Optional.empty();
    long most = Math.max(1, expected.getAsLong());
    return Optional.of(new Bar(Math.min(most, row.progress().seen()), most));
  }

  record Bar(long value, long most) {}

  /** About how long until its end. */
  Optional<Duration> left() {
    var expected = row.progress().expected();
    if (!isRunning() || expected.isEmpty() || perSecond.isEmpty() || perSecond.get() <= 0)
      return Optional.empty();
    long tasks = Math.max(0, expected.getAsLong() - row.progress().seen());
    return Optional.of(Duration.ofMillis(Math.round((double) tasks / perSecond.get() * 1e3)));
  }

  Duration took() {
    return Duration.between(
        row.times().started(), row.times().ended().orElse(row.times().stepped()));
  }

  /** What was chosen and not changed. */
  long leftAlone() {
    return row.progress().skipped() + row.progress().failed();
  }

  List<Next> next() {
    if (row.progress().done() == 0) return List.of();
    TaskStatus was = row.order().filter().status();
    List<Next> next = new ArrayList<>();
    switch (row.order().change()) {
      case BulkChange.Retry(Duration spread) -> {
        next.add(next(TaskAction.CANCEL, TaskStatus.PENDING));
        if (!spread.isZero()) next.add(next(TaskAction.CANCEL, TaskStatus.SCHEDULED));
      }
      case BulkChange.Cancel cancel -> next.add(next(TaskAction.RETRY, TaskStatus.CANCELLED));
      case BulkChange.Delete delete -> {} // nothing is left of them
      case BulkChange.Move move -> next.add(next(TaskAction.MOVE, was));
      case BulkChange.Prioritise prioritise -> next.add(next(TaskAction.PRIORITISE, was));
      case BulkChange.Reschedule reschedule ->
          next.add(next(TaskAction.RESCHEDULE, TaskStatus.SCHEDULED));
    }
    return next;
  }

  private Next next(TaskAction action, TaskStatus status) {
    return new Next(
        "%s what it changed and is still %s".formatted(action.verb(), status),
        Url.of("bulk", "new")
            .with("do", action.word())
            .with("changed", row.id().toString())
            .with("status", status.name()));
  }

  Url audit() {
    return Url.of("audit").with("target", row.id().toString());
  }

  Url confirm(String word) {
    return Url.of("bulk", row.id().toString(), "confirm").with("do", word);
  }
}
