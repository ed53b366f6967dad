package dev.dibs.console;

import dev.dibs.Page;
import dev.dibs.TaskRow;
import dev.dibs.TaskStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * A page of tasks, for the template.
 *
 * @param previous the page before; empty: this is the beginning
 * @param next where the list goes on
 * @param notice of what was asked for and not done
 * @param sample for the names of workers
 */
record TaskList(
    TaskQuery query,
    Page<TaskRow> page,
    Optional<Url> previous,
    Optional<Url> next,
    Optional<String> notice,
    Optional<Sample> sample) {

  boolean isFirst() {
    return previous.isEmpty();
  }

  /** Where all that match are acted on; a bulk wants more of a filter than a status. */
  Optional<Url> bulk() {
    boolean isNarrow = query.queue().isPresent() || query.kind().isPresent();
    return isNarrow ? Optional.of(query.on(Url.of("bulk", "new"))) : Optional.empty();
  }

  /** What the look came to: how far it went, and whether that is all. */
  String found() {
    int rows = page.rows().size();
    String matching = Show.plural(rows, "task");
    if (next.isEmpty())
      return isFirst() ? matching + ", all that match" : matching + ", the last that match";
    if (page.looked() > rows + 1)
      return "Looked at "
          + Show.count(page.looked())
          + " in this order: "
          + matching
          + " on this page";
    return matching + " on this page, more behind";
  }

  /** Why nothing is shown. */
  String emptiness() {
    boolean goesOn = page.next().isPresent() || page.previous().isPresent();
    if (goesOn)
      return "None among the %s%s that were looked at%s. The list goes on."
          .formatted(
              isFirst() ? "first " : "", Show.count(page.looked()), isFirst() ? "" : " here");
    if (!isFirst()) return "No more: this is the end of the list.";
    return query.chips().isEmpty()
        ? "No task is " + query.status().name() + "."
        : "No " + query.status().name() + " task matches these filters.";
  }

  /** What the rows are ordered by. */
  String order() {
    return switch (query.status()) {
      case PENDING -> "in run order";
      case SCHEDULED -> "the next to run first";
      case PROCESSING -> "by worker";
      case BLOCKED -> "by queue";
      case SUCCEEDED, DEAD, CANCELLED -> "newest first";
    };
  }

  String timeTitle() {
    return switch (query.status()) {
      case SCHEDULED -> "Runs";
      case PROCESSING -> "Running for";
      case PENDING, BLOCKED -> "Ready since";
      case SUCCEEDED, DEAD, CANCELLED -> "Ended";
    };
  }

  /** Whether {@link #time} has been. */
  boolean isPast() {
    return query.status() == TaskStatus.PROCESSING || query.status().isFinal();
  }

  /** What the status makes of a task's times. */
  Instant time(TaskRow row) {
    return switch (row.status()) {
      case PROCESSING -> row.times().claimed().orElse(row.times().runAt());
      case SCHEDULED, PENDING, BLOCKED -> row.times().runAt();
      case SUCCEEDED, DEAD, CANCELLED -> row.times().finished().orElse(row.times().runAt());
    };
  }

  static Optional<String> took(TaskRow row) {
    if (row.times().claimed().isEmpty() || row.times().finished().isEmpty())
      return Optional.empty();
    return Optional.of(
        Show.exact(Duration.between(row.times().claimed().get(), row.times().finished().get())));
  }

  /** {@code 2/8}: attempts that failed of those that may, and deaths of workers apart. */
  static String tries(TaskRow row) {
    String tries = row.tries().failures() + "/" + row.tries().maxAttempts();
    return row.tries().losses() == 0 ? tries : tries + " †" + row.tries().losses() + "/3";
  }

  static String triesTitle(TaskRow row) {
    return "attempt %d; %d of %d failures; workers that died holding it: %d of 3"
        .formatted(
            row.attempt(), row.tries().failures(), row.tries().maxAttempts(), row.tries().losses());
  }

  String worker(UUID id) {
    return sample.map(seen -> seen.workerName(id)).orElse(Sample.shortId(id));
  }

  /** As a form says which task was seen, and how. */
  static String seen(TaskRow row) {
    return row.id() + ":" + row.status() + ":" + row.attempt();
  }

  boolean showsWorker() {
    return query.status() == TaskStatus.PROCESSING;
  }
}
