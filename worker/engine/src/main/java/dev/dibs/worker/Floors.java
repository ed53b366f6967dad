package dev.dibs.worker;

import dev.dibs.Task;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * By lane, the position below which this process lately found nothing, so that a claim does not
 * re-read the dead index entries there.
 *
 * <p>Rows may still appear below a floor: an insert that drew its position early and committed
 * late, a claim rolled back. So now and then a claim sweeps from zero: no sooner than 20 times the
 * last sweep's duration after it, which makes sweeping cost a twentieth, but half a minute at the
 * most. While nothing keeps dead entries alive a sweep is as cheap as any claim and is due again
 * almost at once. Owned by the {@link Ledger}, under its lock.
 */
final class Floors {
  private static final long SWEEP_SHARE = 20;
  private static final long LONGEST_HIDDEN_NANOS = Duration.ofSeconds(30).toNanos();

  private final Map<Task.Lane, Long> floors = new HashMap<>();
  private long nextSweepAt = System.nanoTime();
  private boolean sweeping;

  boolean isSweepDue(long now) {
    return !sweeping && now - nextSweepAt >= 0;
  }

  boolean isSweeping() {
    return sweeping;
  }

  /** When the next sweep is due, unless one is under way. */
  long nextSweepAt() {
    return nextSweepAt;
  }

  /** A sweep goes out: no second one meanwhile. */
  void sweepStarted() {
    sweeping = true;
  }

  /** The floor of a lane for a claim that is no sweep. */
  long of(Task.Lane lane) {
    return floors.getOrDefault(lane, 0L);
  }

  /** A claim above the floors took everything up to these positions. */
  void reached(Map<Task.Lane, Long> positions) {
    positions.forEach((lane, position) -> floors.merge(lane, position, Math::max));
  }

  /**
   * A sweep ended. One that found tasks below a floor may have left more of them, so the next
   * follows at once.
   */
  void swept(Map<Task.Lane, Long> positions, long startedAt, long now) {
    boolean foundBelow =
        positions.entrySet().stream().anyMatch(e -> e.getValue() <= of(e.getKey()));
    sweeping = false;
    nextSweepAt = foundBelow ? now : sweepAfter(startedAt, now);
    reached(positions);
  }

  /** A sweep got no answer: it costs as much as one that did, so the next is as far away. */
  void sweepLost(long startedAt, long now) {
    sweeping = false;
    nextSweepAt = sweepAfter(startedAt, now);
  }

  /** One stalled sweep must not hide for minutes what committed late. */
  private static long sweepAfter(long startedAt, long now) {
    return now + Math.min(SWEEP_SHARE * (now - startedAt), LONGEST_HIDDEN_NANOS);
  }
}
