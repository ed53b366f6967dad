package dev.dibs.producer;

import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/** Hears the bells of a database. */
final class Ear implements AutoCloseable {
  private static final int LONGEST_MILLIS = 20_000;
  private static final String END = "the end";

  /** A bell for a queue, and the session that rang it. */
  record Ring(String queue, int session) {}

  private final TestDatabase db;
  private final Connection connection;

  Ear(TestDatabase db) {
    this.db = db;
    this.connection = db.connect();
    try (var statement = connection.createStatement()) {
      statement.execute("listen dibs");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What was rung up to now, and not heard yet. */
  List<Ring> heard() {
    db.execute("select pg_notify('dibs', ?)", END);
    List<Ring> heard = new ArrayList<>();
    while (true) {
      for (Ring ring : wait(LONGEST_MILLIS)) {
        if (ring.queue().equals(END)) return heard;
        heard.add(ring);
      }
    }
  }

  List<String> heardQueues() {
    return heard().stream().map(Ring::queue).toList();
  }

  /** Waits for the next bells. */
  List<Ring> next() {
    return wait(LONGEST_MILLIS);
  }

  private List<Ring> wait(int millis) {
    try {
      PGNotification[] rung = connection.unwrap(PGConnection.class).getNotifications(millis);
      if (rung == null || rung.length == 0)
        throw new AssertionError("no bell was heard for " + millis + " ms");
      List<Ring> rings = new ArrayList<>();
      for (PGNotification each : rung) rings.add(new Ring(each.getParameter(), each.getPID()));
      return rings;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    try {
      connection.close();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
