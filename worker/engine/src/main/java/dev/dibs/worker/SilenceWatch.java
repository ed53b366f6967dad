package dev.dibs.worker;

import dev.dibs.sql.WorkerRows;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Watches the beats of all workers for silence.
 *
 * <p>A worker is suspect when its lease has run out by the database's clock and this process has
 * itself seen no beat for half a lease of its own monotonic time, looking all the while. So neither
 * a step of the database's clock nor an outage or a stall, after which all leases look expired,
 * makes the living look dead. Runs on the heartbeat thread alone.
 */
final class SilenceWatch {
  /** A beat and when this process first saw it. */
  private record Seen(long beat, long at) {}

  private final long halfLeaseNanos;
  private Map<UUID, Seen> seen = new HashMap<>();
  private long lastLookAt = System.nanoTime();

  SilenceWatch(Duration lease) {
    this.halfLeaseNanos = lease.toNanos() / 2;
  }

  /** Forgets what was seen: after an outage everybody gets the time to beat again. */
  void startOver() {
    seen.clear();
  }

  /** Looks at the signs of all workers, taken now; answers those that are dead or suspect. */
  List<WorkerRows.Sign> suspects(List<WorkerRows.Sign> signs) {
    long now = System.nanoTime();
    // What held up this process may have held up the beats of all.
    if (now - lastLookAt > halfLeaseNanos) startOver();
    lastLookAt = now;
    Map<UUID, Seen> before = seen;
    seen =
        signs.stream()
            .collect(
                Collectors.toMap(
                    WorkerRows.Sign::worker, sign -> see(before.get(sign.worker()), sign, now)));
    return signs.stream().filter(sign -> sign.dead() || isSilent(sign, now)).toList();
  }

  private static Seen see(@Nullable Seen before, WorkerRows.Sign sign, long now) {
    return before != null && before.beat() == sign.beat() ? before : new Seen(sign.beat(), now);
  }

  private boolean isSilent(WorkerRows.Sign sign, long now) {
    Seen first = seen.get(sign.worker());
    return sign.expired() && first != null && now - first.at() >= halfLeaseNanos;
  }
}
