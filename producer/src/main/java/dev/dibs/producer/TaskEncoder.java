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
    String payload = settings.codec().encode(task.payload());
    int max = settings.maxPayloadBytes();
    if (Utf8.isLonger(payload, max)) {
      throw new PayloadException(
          "a payload of kind '%s' has %d bytes, at most %d are taken; keep large data elsewhere and enqueue a reference to it"
              .formatted(task.kind().name(), Utf8.length(payload), max));
    }
    var headers = task.options().headers();
    @Nullable String encoded = headers.isEmpty() ? null : settings.codec().encode(headers);
    return new InsertTasks.Row(task.id(), task.kind().name(), payload, encoded, task.options());
  }
}
