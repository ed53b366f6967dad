package dev.dibs.worker;

import dev.dibs.Task;
import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Lets tasks whose next loss would be their death run one at a time in this process.
 *
 * <p>A task that kills its process takes along whatever runs or waits there, and each of those has
 * one loss more. Run together again they would be lost together again, and after the last time all
 * of them were dead. Alone, the innocent ends and the guilty is the only one that is lost. The
 * first loss, which is most often nobody's fault, holds up nothing. Owned by the {@link Ledger},
 * under its lock.
 */
final class Suspects {
  private static final Duration COME_AGAIN = Duration.ofMillis(500);
  private static final double JITTER = 0.8;

  private final int maxLosses;
  private @Nullable UUID admitted;

  Suspects(int maxLosses) {
    this.maxLosses = maxLosses;
  }

  boolean isSuspect(Task task) {
    int losses = task.tries().losses();
    return losses > 0 && losses + 1 >= maxLosses;
  }

  /**
   * Whether the task may run here now; if so and it is a suspect, no other may until it has left.
   */
  boolean admit(Task task) {
    if (!isSuspect(task)) return true;
    if (admitted != null) return false;
    admitted = task.id();
    return true;
  }

  /** The task has ended, or was given back. */
  void left(Task task) {
    if (task.id().equals(admitted)) admitted = null;
  }

  /** How long a suspect waits that was not admitted. */
  static Duration comeAgain() {
    return Backoff.jittered(COME_AGAIN, JITTER);
  }
}
