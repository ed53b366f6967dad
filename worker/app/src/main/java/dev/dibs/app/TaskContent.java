package dev.dibs.app;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Priority;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say what a task does and how it is run, but not when. */
final class TaskContent {
  @Option(
      names = "--kind",
      paramLabel = "NAME",
      description = "What to do; workers have a handler of that name.")
  @Nullable String kind;

  @Option(
      names = "--payload",
      paramLabel = "JSON|@FILE|-",
      defaultValue = "{}",
      description = "Any JSON value.")
  String payload = "{}";

  @Option(
      names = "--queue",
      paramLabel = "NAME",
      defaultValue = "default",
      description = "Where it waits.")
  String queue = "default";

  @Option(
      names = "--priority",
      defaultValue = "normal",
      description = "urgent, high, normal, low, or 1 to 4.")
  Priority priority = Priority.NORMAL;

  @Option(
      names = "--max-attempts",
      paramLabel = "N",
      defaultValue = "25",
      description = "Failures until it is DEAD.")
  int maxAttempts = 25;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      description = "The longest that one run may take.")
  @Nullable Duration timeout;

  @Option(
      names = "--header",
      paramLabel = "NAME=VALUE",
      description = "A small fact that travels along; repeatable.")
  Map<String, String> headers = Map.of();

  /**
   * The task that the options describe.
   *
   * @throws UsageException if they describe none
   */
  NewTask<Json> task(Shell shell) throws IOException {
    try {
      NewTask<Json> task =
          Kind.json(kind == null ? "unnamed" : kind)
              .task(new Json(PayloadText.read(payload, shell)))
              .queue(queue)
              .priority(priority)
              .maxAttempts(maxAttempts);
      if (timeout != null) task = task.timeout(timeout);
      for (var header : headers.entrySet()) task = task.header(header.getKey(), header.getValue());
      return task;
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }
}
