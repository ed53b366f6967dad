package dev.dibs.app;

import dev.dibs.Json;
import dev.dibs.NewTask;
import dev.dibs.Unique;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a client calls a request that is to be done once: here it becomes a unique key of its queue,
 * for a day and while the task is unfinished.
 */
final class IdempotencyKey {
  static final String HEADER = "Idempotency-Key";

  private static final Duration HELD = Duration.ofDays(1);

  private IdempotencyKey() {}

  /**
   * The same task, once for its key where there is one.
   *
   * @param text as the header has it, with or without quotes
   */
  static NewTask<Json> on(NewTask<Json> task, @Nullable String text) {
    if (text == null) return task;
    if (task.options().unique().isPresent())
      throw Problem.of(
          ProblemType.INVALID_TASK,
          "give either %s or what makes the task unique, not both".formatted(HEADER));
    String key = text.strip().replaceFirst("^\"(.*)\"$", "$1");
    try {
      return task.unique(Unique.by("idempotency:" + key).forAtLeast(HELD));
    } catch (IllegalArgumentException e) {
      throw Problem.of(
          ProblemType.INVALID_TASK,
          "%s must have 1 to 243 characters, none of them a control character".formatted(HEADER));
    }
  }
}
