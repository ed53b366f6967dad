package dev.dibs.console;

import dev.dibs.BulkChange;
import dev.dibs.BulkOrder;
import dev.dibs.TaskFilter;
import dev.dibs.TaskStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/** What a bulk does to which tasks, in words. */
record BulkWords(Show show) {

  /** "Run again: DEAD tasks in queue mail, of kind send-receipt". */
  String order(BulkOrder order) {
    return verb(order.change()) + ": " + which(order.filter(), order.changedBy());
  }

  String verb(BulkChange change) {
    return switch (change) {
      case BulkChange.Retry(Duration spread) ->
          spread.isZero() ? "Run again" : "Run again within " + Show.coarse(spread);
      case BulkChange.Cancel cancel -> "Cancel";
      case BulkChange.Delete delete -> "Delete";
      case BulkChange.Move(String queue) -> "Move to queue " + queue;
      case BulkChange.Prioritise(var priority) ->
          "Change priority to " + priority.name().toLowerCase(Locale.ROOT);
      case BulkChange.Reschedule(Instant runAt) -> "Reschedule to " + show.brief(runAt);
    };
  }

  /** "DEAD tasks in queue mail, of kind send-receipt, whose last error has “451”". */
  String which(TaskFilter filter, Optional<UUID> changedBy) {
    var text = new StringBuilder(filter.status().name()).append(" tasks");
    changedBy.ifPresent(bulk -> text.append(" that bulk ").append(bulk).append(" changed"));
    filter.queue().ifPresent(queue -> text.append(", in queue ").append(queue));
    filter.kind().ifPresent(kind -> text.append(", of kind ").append(kind));
    filter
        .priority()
        .ifPresent(
            level -> text.append(", of priority ").append(level.name().toLowerCase(Locale.ROOT)));
    filter.worker().ifPresent(worker -> text.append(", run by worker ").append(worker));
    filter
        .traits()
        .header()
        .ifPresent(header ->
            text.append(", with header ")
                .append(header.name())
                .append(" = ")
                .append(header.value()));
    filter
        .traits()
        .error()
        .ifPresent(part -> text.append(", whose last error has “").append(part).append('”'));
    String timed = timed(filter.status());
    filter.time().since().ifPresent(at -> text.append(timed).append("since ").append(time(at)));
    filter.time().until().ifPresent(at -> text.append(timed).append("before ").append(time(at)));
    if (!filter.ids().isEmpty())
      text.append(", chosen by id: ").append(Show.count(filter.ids().size()));
    return text.toString();
  }

  private String time(Instant at) {
    return show.absolute(at);
  }

  private static String timed(TaskStatus status) {
    if (status.isFinal()) return ", that ended ";
    return status == TaskStatus.PROCESSING ? ", whose run began " : ", that were to run ";
  }
}
