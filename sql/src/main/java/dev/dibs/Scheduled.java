package dev.dibs;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A schedule as it stands in the database. Immutable.
 *
 * @param nextTick by the database's clock; while it is paused, what would have been
 * @param lastTick the last tick that was decided, whether its task was enqueued or not
 */
public record Scheduled(
    Schedule schedule, Instant nextTick, Optional<Instant> lastTick, Optional<Pause> pause) {

  /** Since when, by whom and why a schedule does not tick. */
  public record Pause(Instant at, String by, String why) {}

  /** The next {@code count} ticks, if it is neither changed nor paused. */
  public List<Instant> next(int count) {
    List<Instant> ticks = new ArrayList<>();
    for (Instant tick = nextTick; ticks.size() < count; tick = schedule.rhythm().next(tick))
      ticks.add(tick);
    return ticks;
  }
}
