package dev.dibs.console;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Admits so many tries of a name within a time. Where there are too many names, the one that has
 * not been tried for longest is forgotten: a flood of names takes nobody's turn. The lock guards
 * {@code tries}. Thread-safe.
 */
final class Throttle {
  private static final int MOST_NAMES = 10_000;
  private static final float LOAD = 0.75f;

  private final Map<String, Deque<Instant>> tries =
      new LinkedHashMap<>(16, LOAD, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Deque<Instant>> eldest) {
          return size() > MOST_NAMES;
        }
      };

  private final int most;
  private final Duration within;
  private final InstantSource clock;

  Throttle(int most, Duration within, InstantSource clock) {
    this.most = most;
    this.within = within;
    this.clock = clock;
  }

  synchronized boolean admits(String name) {
    Instant now = clock.instant();
    Deque<Instant> times = tries.computeIfAbsent(name, key -> new ArrayDeque<>());
    times.removeIf(time -> time.isBefore(now.minus(within)));
    if (times.size() >= most) return false;
    times.add(now);
    return true;
  }

  synchronized void forgive(String name) {
    tries.remove(name);
  }
}
