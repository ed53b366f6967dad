package dev.dibs.producer;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Lets a queue's name pass at most once an interval. Thread-safe.
 *
 * <p>Commits that notify wait for each other in PostgreSQL, so a burst of enqueues must not carry
 * one bell each.
 */
final class Throttle {
  /** Beyond so many queues the oldest knowledge is dropped: one bell too many does no harm. */
  private static final int QUEUES_KEPT = 10_000;

  private final long intervalNanos;
  private final Map<String, Long> lastPass = new ConcurrentHashMap<>();

  Throttle(Duration interval) {
    this.intervalNanos = interval.toNanos();
  }

  /** Those of {@code queues} that have not passed within the interval; they pass now. */
  List<String> pass(Set<String> queues) {
    if (lastPass.size() > QUEUES_KEPT) lastPass.clear();
    long now = System.nanoTime();
    return queues.stream().filter(queue -> passes(queue, now)).toList();
  }

  private boolean passes(String queue, long now) {
    Long before = lastPass.get(queue);
    if (before != null && now - before < intervalNanos) return false;
    return before == null
        ? lastPass.putIfAbsent(queue, now) == null
        : lastPass.replace(queue, before, now);
  }
}
