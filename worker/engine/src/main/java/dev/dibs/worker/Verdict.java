package dev.dibs.worker;

import dev.dibs.TaskStatus;
import dev.dibs.sql.ReadBack.Trace;
import dev.dibs.sql.ReadBack.Traces;
import java.util.Optional;

/**
 * What was behind it when an outcome was refused. Most often the task was in other hands. But an
 * outcome whose first write got no answer is refused the second time though the first was applied,
 * and then it must be counted as written.
 */
enum Verdict {
  /** It had been written before. */
  WRITTEN,
  /** The run had ended its task itself, in a transaction whose answer was lost. */
  COMPLETED,
  /** The task had been cancelled. */
  CANCELLED,
  /** Another had the task, or has it. */
  REFUSED,
  /** The traces do not tell. */
  UNKNOWN;

  /** The verdict on the outcome {@code run}, by what its task looks like now. */
  static Verdict on(FinishedRun run, Traces traces) {
    Optional<Trace> past = traces.past();
    boolean endedByRun =
        past.isPresent()
            && past.get().lease().filter(run.task().hold().lease()::equals).isPresent();
    if (endedByRun) return run.ended() == null ? COMPLETED : WRITTEN;
    if (traces.live().isPresent()) return onLive(run, traces.live().get());
    if (past.isEmpty()) return UNKNOWN; // pruned, or a queue that keeps no history
    return onPast(run, past.get());
  }

  /** An ending would have left no live task; a return leaves one that nobody took from the run. */
  private static Verdict onLive(FinishedRun run, Trace live) {
    if (run.again() == null || live.losses() != run.task().tries().losses()) return REFUSED;
    int attempt = run.task().tries().attempt();
    boolean returned = live.attempt() == attempt && live.lease().isEmpty();
    boolean another = live.attempt() > attempt;
    return (returned || another) && live.failures() >= failuresAfter(run) ? WRITTEN : REFUSED;
  }

  /** The task came back and ended in a later attempt, or somebody ended it in this one. */
  private static Verdict onPast(FinishedRun run, Trace past) {
    boolean sameAttempt = past.attempt() == run.task().tries().attempt();
    boolean counted = past.failures() >= failuresAfter(run);
    boolean asReturned = past.losses() == run.task().tries().losses() && counted;
    if (sameAttempt && past.status() == TaskStatus.CANCELLED) {
      // Cancelled while it ran, or after it had come back: only a counted failure tells.
      return run.again() != null && run.again().failed() && asReturned ? WRITTEN : CANCELLED;
    }
    if (run.again() == null || sameAttempt) return REFUSED;
    return asReturned ? WRITTEN : REFUSED;
  }

  private static int failuresAfter(FinishedRun run) {
    boolean failed = run.again() != null && run.again().failed();
    return run.task().tries().failures() + (failed ? 1 : 0);
  }
}
