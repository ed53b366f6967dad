package dev.dibs;

import java.util.Optional;
import java.util.UUID;

/**
 * One change to every task that a filter chooses. Immutable; start with {@link #of}.
 *
 * @param changedBy only what this bulk changed, which is how a bulk is undone
 * @param perSecond at the most so many tasks
 */
public record BulkOrder(
    TaskFilter filter, Optional<UUID> changedBy, BulkChange change, int perSecond) {
  public static final int USUAL_PER_SECOND = 2_000;
  private static final int MOST_PER_SECOND = 1_000_000;

  public BulkOrder {
    if (perSecond < 1 || perSecond > MOST_PER_SECOND)
      throw new IllegalArgumentException("tasks a second must be 1 to 1000000, was " + perSecond);
    if (!change.statuses().contains(filter.status()))
      throw new IllegalArgumentException(
          "%s cannot be done to tasks that are %s, only to %s"
              .formatted(change.action(), filter.status(), change.statuses()));
    if (changedBy.isEmpty()
        && filter.queue().isEmpty()
        && filter.kind().isEmpty()
        && filter.ids().isEmpty())
      throw new IllegalArgumentException("a bulk needs a queue, a kind or ids beside the status");
  }

  public static BulkOrder of(TaskFilter filter, BulkChange change) {
    return new BulkOrder(filter, Optional.empty(), change, USUAL_PER_SECOND);
  }

  /** The change to those tasks of a status that another bulk changed. */
  public static BulkOrder after(UUID changedBy, TaskFilter filter, BulkChange change) {
    return new BulkOrder(filter, Optional.of(changedBy), change, USUAL_PER_SECOND);
  }

  public BulkOrder perSecond(int perSecond) {
    return new BulkOrder(filter, changedBy, change, perSecond);
  }
}
