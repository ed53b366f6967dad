package dev.dibs.worker;

import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Keeps an error that never ends from filling the log: the same of the same kind is worth saying
 * once a minute, another at once. Thread-safe.
 */
final class Complaints {
  private static final long SILENCE_NANOS = Duration.ofMinutes(1).toNanos();
  private static final int KEPT = 64;

  private final Map<String, Long> saidAt = new LinkedHashMap<>();

  /** Whether it is worth saying that {@code what} failed so; it counts as said then. */
  boolean isNews(String what, SQLException e) {
    return isNews(what + " " + e.getSQLState(), System.nanoTime());
  }

  synchronized boolean isNews(String complaint, long now) {
    Long before = saidAt.get(complaint);
    if (before != null && now - before < SILENCE_NANOS) return false;
    saidAt.remove(complaint);
    saidAt.put(complaint, now);
    if (saidAt.size() > KEPT) saidAt.remove(saidAt.keySet().iterator().next());
    return true;
  }
}
