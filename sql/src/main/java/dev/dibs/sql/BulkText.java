package dev.dibs.sql;

import dev.dibs.BulkChange;
import dev.dibs.BulkOrder;
import dev.dibs.Codec;
import dev.dibs.DibsException;
import dev.dibs.Priority;
import dev.dibs.TaskFilter;
import dev.dibs.TaskStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/** The JSON in which the database keeps what a bulk was asked to do. */
final class BulkText {
  private static final Codec CODEC = Codec.jackson();

  private BulkText() {}

  static String filter(BulkOrder order) {
    TaskFilter filter = order.filter();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("status", filter.status().name());
    filter.queue().ifPresent(queue -> fields.put("queue", queue));
    filter.kind().ifPresent(kind -> fields.put("kind", kind));
    filter.priority().ifPresent(priority -> fields.put("priority", priority.level()));
    filter.worker().ifPresent(worker -> fields.put("worker", worker.toString()));
    filter.time().since().ifPresent(since -> fields.put("since", since.toString()));
    filter.time().until().ifPresent(until -> fields.put("until", until.toString()));
    filter
        .traits()
        .header()
        .ifPresent(
            header -> fields.put("header", Map.of("name", header.name(), "value", header.value())));
    filter.traits().error().ifPresent(error -> fields.put("error", error));
    if (!filter.ids().isEmpty())
      fields.put("ids", filter.ids().stream().map(UUID::toString).toList());
    order.changedBy().ifPresent(bulk -> fields.put("changedBy", bulk.toString()));
    return CODEC.encode(fields);
  }

  static String parameters(BulkChange change) {
    return CODEC.encode(
        switch (change) {
          case BulkChange.Retry(Duration spread) ->
              spread.isZero() ? Map.of() : Map.of("spread", spread.toString());
          case BulkChange.Cancel cancel -> Map.of();
          case BulkChange.Delete delete -> Map.of();
          case BulkChange.Move(String queue) -> Map.of("queue", queue);
          case BulkChange.Prioritise(Priority priority) -> Map.of("priority", priority.level());
          case BulkChange.Reschedule(Instant runAt) -> Map.of("runAt", runAt.toString());
        });
  }

  static BulkOrder order(String action, String filter, String parameters, int perSecond) {
    Map<?, ?> fields = CODEC.decode(filter, Map.class);
    return new BulkOrder(
        filter(fields),
        read(fields, "changedBy", UUID::fromString),
        change(action, CODEC.decode(parameters, Map.class)),
        perSecond);
  }

  private static TaskFilter filter(Map<?, ?> fields) {
    TaskFilter filter = TaskFilter.of(read(fields, "status", TaskStatus::valueOf).orElseThrow());
    filter = with(filter, read(fields, "queue", queue -> queue), TaskFilter::queue);
    filter = with(filter, read(fields, "kind", kind -> kind), TaskFilter::kind);
    filter = with(filter, read(fields, "priority", Priority::parse), TaskFilter::priority);
    filter = with(filter, read(fields, "worker", UUID::fromString), TaskFilter::worker);
    filter = with(filter, read(fields, "since", Instant::parse), TaskFilter::since);
    filter = with(filter, read(fields, "until", Instant::parse), TaskFilter::until);
    filter = with(filter, read(fields, "error", error -> error), TaskFilter::error);
    if (fields.get("header") instanceof Map<?, ?> header)
      filter =
          filter.header(String.valueOf(header.get("name")), String.valueOf(header.get("value")));
    if (fields.get("ids") instanceof List<?> ids)
      filter = filter.ids(ids.stream().map(id -> UUID.fromString(String.valueOf(id))).toList());
    return filter;
  }

  private static <T> TaskFilter with(
      TaskFilter filter,
      Optional<T> value,
      java.util.function.BiFunction<TaskFilter, T, TaskFilter> word) {
    return value.map(given -> word.apply(filter, given)).orElse(filter);
  }

  private static <T> Optional<T> read(Map<?, ?> fields, String name, Function<String, T> as) {
    return Optional.ofNullable(fields.get(name)).map(String::valueOf).map(as);
  }

  private static BulkChange change(String action, Map<?, ?> fields) {
    return switch (action) {
      case "retry" ->
          new BulkChange.Retry(read(fields, "spread", Duration::parse).orElse(Duration.ZERO));
      case "cancel" -> new BulkChange.Cancel();
      case "delete" -> new BulkChange.Delete();
      case "move" -> new BulkChange.Move(read(fields, "queue", queue -> queue).orElseThrow());
      case "prioritise" ->
          new BulkChange.Prioritise(read(fields, "priority", Priority::parse).orElseThrow());
      case "reschedule" ->
          new BulkChange.Reschedule(read(fields, "runAt", Instant::parse).orElseThrow());
      default -> throw new DibsException("this build knows no bulk that does '" + action + "'");
    };
  }
}
