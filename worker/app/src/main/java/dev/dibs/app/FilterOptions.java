package dev.dibs.app;

import dev.dibs.Priority;
import dev.dibs.TaskFilter;
import dev.dibs.TaskStatus;
import dev.dibs.Text;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say which tasks are meant. */
final class FilterOptions {
  @Option(
      names = "--status",
      paramLabel = "STATUS",
      description = "SCHEDULED, BLOCKED, PENDING, PROCESSING, SUCCEEDED, DEAD or CANCELLED.")
  @Nullable String status;

  @Option(names = "--queue", paramLabel = "NAME", description = "In this queue.")
  @Nullable String queue;

  @Option(names = "--kind", paramLabel = "NAME", description = "Of this kind.")
  @Nullable String kind;

  @Option(names = "--of-priority", paramLabel = "PRIORITY", description = "As urgent as this.")
  @Nullable Priority priority;

  @Option(names = "--worker", paramLabel = "ID", description = "Run by it, or run by it last.")
  @Nullable UUID worker;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      description =
          "Finished, begun or to be run since then: 24h for so long ago, or 2030-01-31T02:30:00Z.")
  @Nullable String since;

  @Option(names = "--until", paramLabel = "TIME", description = "Likewise, and before then.")
  @Nullable String until;

  @Option(names = "--header", paramLabel = "NAME=VALUE", description = "With this header.")
  @Nullable String header;

  @Option(
      names = "--error",
      paramLabel = "TEXT",
      description = "With this in the class or the message of its last error.")
  @Nullable String error;

  /** Whether any of them is given. */
  boolean isGiven() {
    return queue != null || isMoreThanQueue();
  }

  /** Whether any of them but the queue is given. */
  boolean isMoreThanQueue() {
    return Stream.of(status, kind, priority, worker, since, until, header, error)
        .anyMatch(option -> option != null);
  }

  /**
   * The filter that the options are.
   *
   * @throws UsageException if they are none
   */
  TaskFilter filter() {
    return OperatorOptions.meant(() -> {
      TaskFilter filter = TaskFilter.of(status());
      if (queue != null) filter = filter.queue(queue);
      if (kind != null) filter = filter.kind(kind);
      if (priority != null) filter = filter.priority(priority);
      if (worker != null) filter = filter.worker(worker);
      if (since != null) filter = filter.since(time("--since", since));
      if (until != null) filter = filter.until(time("--until", until));
      if (error != null) filter = filter.error(error);
      return header == null ? filter : withHeader(filter, header);
    });
  }

  private TaskStatus status() {
    if (status == null) throw new UsageException("give --status: " + statuses());
    for (TaskStatus one : TaskStatus.values())
      if (one.name().equals(status.toUpperCase(Locale.ROOT))) return one;
    throw new UsageException(
        "--status must be one of %s, was '%s'"
            .formatted(statuses(), Text.cut(Text.storable(status), 40)));
  }

  private static String statuses() {
    return String.join(", ", Arrays.stream(TaskStatus.values()).map(TaskStatus::name).toList());
  }

  private static TaskFilter withHeader(TaskFilter filter, String header) {
    int equals = header.indexOf('=');
    if (equals < 1)
      throw new UsageException(
          "--header must be NAME=VALUE, was '%s'".formatted(Text.cut(Text.storable(header), 40)));
    return filter.header(header.substring(0, equals), header.substring(equals + 1));
  }

  private static Instant time(String option, String text) {
    boolean isAgo = !text.contains(":") && !text.startsWith("P");
    try {
      if (!isAgo) return Converters.instant(text);
      Duration ago = DurationText.parse(text.startsWith("-") ? text.substring(1) : text);
      return Instant.now().minus(ago);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new UsageException(
          "%s must be like 24h, which is so long ago, or 2030-01-31T02:30:00Z, was '%s'"
              .formatted(option, Text.cut(Text.storable(text), 40)));
    }
  }
}
