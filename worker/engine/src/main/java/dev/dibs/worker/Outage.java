package dev.dibs.worker;

import java.sql.SQLException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether the database answers, said once when that changes. Thread-safe. */
final class Outage {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

  private volatile boolean away;
  private long awaySince;

  /** A connection could not be opened, or broke. */
  void failed(SQLException e) {
    if (away) return;
    synchronized (this) {
      if (away) return;
      awaySince = System.nanoTime();
      away = true;
    }
    LOG.warn("database is away, trying again until it is back: {}", e.getMessage());
  }

  /** A statement was answered. */
  void answered() {
    if (!away) return;
    synchronized (this) {
      if (!away) return;
      away = false;
      LOG.info(
          "database is back after {} s",
          Duration.ofNanos(System.nanoTime() - awaySince).toSeconds());
    }
  }

  boolean isAway() {
    return away;
  }
}
