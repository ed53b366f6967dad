package dev.dibs.producer;

import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import dev.dibs.sql.InsertTasks;
import org.jspecify.annotations.Nullable;

/** Turns tasks into rows, or refuses what the settings or the database would not take. */
record TaskEncoder(ProducerSettings settings) {
  /**
   * @throws PayloadException if the payload or the headers cannot be kept
   */
  InsertTasks.Row encode(NewTask<?> task) {
    String payload = encode("a payload", task, task.payload());
    var headers = task.options().headers();
    @Nullable String encoded = headers.isEmpty() ? null : encode("a set of headers", task, headers);
    return new InsertTasks.Row(task.id(), task.kind().name(), payload, encoded, task.options());
  }

  private String encode(String part, NewTask<?> task, Object value) {
    String json = settings.codec().encode(value);
    int max = settings.maxPayloadBytes();
    if (Utf8.isLonger(json, max)) {
      throw new PayloadException(
          "%s of kind '%s' has %d bytes, at most %d are taken; keep large data elsewhere and enqueue a reference to it"
              .formatted(part, task.kind().name(), Utf8.length(json), max));
    }
    return json;
  }
}
