package dev.dibs.producer;

import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import dev.dibs.TaskOptions;
import dev.dibs.Unique;
import dev.dibs.UniqueKey;
import dev.dibs.sql.InsertTasks;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
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
    TaskOptions options = task.options();
    if (options.unique().isPresent()) {
      String key = options.unique().get().key().of(task.kind().name(), payload);
      options = options.withUnique(options.unique().map(unique -> unique.withKey(key)));
    }
    return new InsertTasks.Row(task.id(), task.kind().name(), payload, encoded, options);
  }

  /**
   * The order in which tasks are locked, so that two transactions that bring the same ones do not
   * wait for each other crosswise: unique ones by their keys, then the others by their ids.
   */
  List<NewTask<?>> inOrder(List<? extends NewTask<?>> tasks) {
    List<NewTask<?>> plain = new ArrayList<>(tasks.size());
    List<Keyed> keyed = new ArrayList<>();
    for (NewTask<?> task : tasks) {
      Optional<Unique> unique = task.options().unique();
      if (unique.isEmpty()) plain.add(task);
      else keyed.add(new Keyed(task, unique.get().key().of(task.kind().name(), payload(task))));
    }
    plain.sort(Comparator.comparing(NewTask::id));
    keyed.sort(
        Comparator.comparing((Keyed each) -> each.task().options().queue())
            .thenComparing(Keyed::key));
    List<NewTask<?>> ordered = new ArrayList<>(tasks.size());
    for (Keyed each : keyed) ordered.add(each.task());
    ordered.addAll(plain);
    return ordered;
  }

  private record Keyed(NewTask<?> task, String key) {}

  /** What a key may be made of; a given one needs no payload. */
  private String payload(NewTask<?> task) {
    boolean isGiven =
        task.options().unique().map(Unique::key).orElse(null) instanceof UniqueKey.Given;
    return isGiven ? "" : encode("a payload", task, task.payload());
  }

  private String encode(String part, NewTask<?> task, Object value) {
    return encodePayload(() -> "%s of kind '%s'".formatted(part, task.kind().name()), value);
  }

  /**
   * The JSON text of {@code value}.
   *
   * @param what it is, for the message
   * @throws PayloadException if it cannot be kept
   */
  String encodePayload(Supplier<String> what, Object value) {
    String json = settings.codec().encode(value);
    int max = settings.maxPayloadBytes();
    if (Utf8.isLonger(json, max)) {
      throw new PayloadException(
          "%s has %d bytes, at most %d are taken; keep large data elsewhere and enqueue a reference to it"
              .formatted(what.get(), Utf8.length(json), max));
    }
    return json;
  }
}
