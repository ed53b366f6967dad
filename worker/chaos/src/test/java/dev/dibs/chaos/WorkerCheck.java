package dev.dibs.chaos;

import dev.dibs.chaos.Violation.Promise;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Every registration and beat gives a whole lease, and nobody is buried before it ran out. */
final class WorkerCheck {
  /**
   * Between the lease being computed and the trigger looking at it a thread may wait for its turn.
   */
  private static final Duration TOLERANCE = Duration.ofMillis(300);

  private WorkerCheck() {}

  static List<Violation> check(History history) {
    double least = history.workload().lease().minus(TOLERANCE).toMillis() / 1e3;
    Map<UUID, Audit.Life> last = new HashMap<>();
    List<Violation> found = new ArrayList<>();
    for (Audit.Life life : history.audit().lives()) {
      Audit.@Nullable Life before = last.put(life.worker(), life);
      boolean renewed =
          life.op().equals("insert") || (before != null && before.beat() < life.beat());
      boolean buried =
          before != null && !before.status().equals("DEAD") && life.status().equals("DEAD");
      if (renewed && life.leaseLeft() < least)
        found.add(wrong(life, "was given a lease of %.3f s".formatted(life.leaseLeft())));
      if (buried && life.leaseLeft() > 0)
        found.add(wrong(life, "was buried with %.3f s left".formatted(life.leaseLeft())));
    }
    return found;
  }

  private static Violation wrong(Audit.Life life, String what) {
    return new Violation(
        Promise.WHOLE_LEASE,
        Event.NO_TASK,
        "worker %s of %s %s".formatted(life.worker(), life.actor(), what));
  }
}
