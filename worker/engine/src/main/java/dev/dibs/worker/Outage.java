package dev.dibs.worker;

import dev.dibs.DatabaseException;
import java.sql.SQLException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the database answers, said once when that changes. While some connections break and
 * others answer it changes all the time: then it is not said again until there was calm.
 * Thread-safe.
 */
final class Outage {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

  private static final long CALM_NANOS = Duration.ofSeconds(10).toNanos();

  private volatile boolean away;
  private long awaySince;
  private long backSince = System.nanoTime() - CALM_NANOS;
  private boolean said;

  /** A connection could not be opened, or broke. */
  void failed(SQLException e) {
    if (away) return;
    synchronized (this) {
      if (away) return;
      awaySince = System.nanoTime();
      said = awaySince - backSince >= CALM_NANOS;
      away = true;
      if (said)
        LOG.warn(
            "database is away, trying again until it is back: {}", DatabaseException.reason(e));
    }
  }

  /** A statement was answered. */
  void answered() {
    if (!away) return;
    synchronized (this) {
      if (!away) return;
      away = false;
      backSince = System.nanoTime();
      if (said)
        LOG.info(
            "database is back after {} s", Duration.ofNanos(backSince - awaySince).toSeconds());
    }
  }

  boolean isAway() {
    return away;
  }
}
