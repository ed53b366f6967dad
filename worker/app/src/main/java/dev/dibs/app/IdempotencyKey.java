package dev.dibs.app;

import dev.dibs.Json;
import dev.dibs.NewTask;
import org.jspecify.annotations.Nullable;

/** What a client calls a request that is to be done once: here it becomes a matter of the task. */
final class IdempotencyKey {
  static final String HEADER = "Idempotency-Key";

  private IdempotencyKey() {}

  /**
   * The same task, once for its key where there is one.
   *
   * @param text as the header has it, with or without quotes
   */
  static NewTask<Json> on(NewTask<Json> task, @Nullable String text) {
    if (text == null) return task;
    throw Problem.of(
        ProblemType.NOT_THERE_YET,
        "%s is not there yet; give the task an id, a UUID of version 7, and the same one when the request is repeated"
            .formatted(HEADER));
  }
}
