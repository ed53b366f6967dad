package dev.dibs.producer;

import dev.dibs.Landing;
import java.util.UUID;

/**
 * A task that is in the queue.
 *
 * @param id its own, or that of the task that holds its unique key
 * @param landing how it came that it is there; {@link Landing#ALREADY_THERE} also if the connection
 *     broke and it turned out that this very enqueue had been committed
 */
public record Enqueued(UUID id, Landing landing) {
  /** Whether there is a task more than before. */
  public boolean inserted() {
    return landing.isInserted();
  }
}
