package dev.dibs.bench;

import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Repeats what the server gave up to resolve a deadlock, as the engine does, and counts it.
 *
 * <p>SKIP LOCKED does wait in one case: for the newest version of a row whose older version changed
 * hands while it was looked at. Two claims that are also ending rows can then wait for each other.
 * Thread-safe.
 */
final class Deadlocks {
  private static final String DETECTED = "40P01";

  private final AtomicInteger count = new AtomicInteger();

  /** A statement. */
  @FunctionalInterface
  interface Statement<R> {
    R run() throws SQLException;
  }

  <R> R outlive(Statement<R> statement) throws SQLException {
    while (true) {
      try {
        return statement.run();
      } catch (SQLException e) {
        if (!DETECTED.equals(e.getSQLState())) throw e;
        count.incrementAndGet(); // all of it was undone: nothing is lost but time
      }
    }
  }

  int count() {
    return count.get();
  }
}
