package dev.dibs.console;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/** Admits so many tries of a name within a time. The lock guards {@code tries}. Thread-safe. */
final class Throttle {
  private static final int MOST_NAMES = 10_000;

  private final Map<String, Deque<Instant>> tries = new HashMap<>();
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
    if (tries.size() >= MOST_NAMES) forget(now);
    if (tries.size() >= MOST_NAMES && !tries.containsKey(name)) return false;
    Deque<Instant> times = tries.computeIfAbsent(name, key -> new ArrayDeque<>());
    dropOld(times, now);
    if (times.size() >= most) return false;
    times.add(now);
    return true;
  }

  synchronized void forgive(String name) {
    tries.remove(name);
  }

  private void forget(Instant now) {
    tries
        .values()
        .removeIf(times -> {
          dropOld(times, now);
          return times.isEmpty();
        });
  }

  private void dropOld(Deque<Instant> times, Instant now) {
    times.removeIf(time -> time.isBefore(now.minus(within)));
  }
}
