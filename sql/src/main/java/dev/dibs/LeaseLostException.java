package dev.dibs;

import java.util.UUID;

/**
 * A run tried to change something after it had lost its task to another worker, a timeout or a
 * cancellation. The transaction it tried that in is rolled back. A handler lets this pass: the task
 * is in other hands.
 */
public final class LeaseLostException extends DibsException {
  public LeaseLostException(UUID task, UUID lease) {
    super(
        "task %s is no longer held by lease %s: the transaction was rolled back and this run's outcome will be refused"
            .formatted(task, lease));
  }
}
