package dev.dibs.worker;

import dev.dibs.sql.Bell;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/**
 * Hears bells and passes them to the ledger, and cancellations to the runner. Without it tasks are
 * found by polling, only later. Runs on its own thread and connection.
 *
 * <p>A connection that is cut silently never says so, so a silent one is probed every ten seconds.
 * Whenever a new one begins to listen, bells may have been missed: then everything is looked at.
 */
final class Listener {
  private static final Duration PROBE_AFTER = Duration.ofSeconds(10);
  private static final Duration PAUSE = Duration.ofSeconds(1);
  private static final Duration SHORT_PAUSE = Duration.ofMillis(50);
  private static final double JITTER = 0.3;

  private final Link link;
  private final Bell bell;
  private final Ledger ledger;
  private final TaskRunner runner;
  private final Runnable rung;
  private boolean listening;

  /**
   * A listener.
   *
   * @param rung told of every bell, whatever queue it is for
   */
  Listener(Link link, Bell bell, Ledger ledger, TaskRunner runner, Runnable rung) {
    this.link = link;
    this.bell = bell;
    this.ledger = ledger;
    this.runner = runner;
    this.rung = rung;
  }

  /** Listens until stopped; closing the link wakes it. */
  void listenUntil(CountDownLatch stopped) throws InterruptedException {
    listening = false; // an Error ended the last connection, and this began anew
    while (stopped.getCount() > 0) {
      try {
        link.use(this::hear);
      } catch (SQLException e) {
        // One that did listen was cut off: that is no reason to believe that the next will be.
        Duration pause = listening ? SHORT_PAUSE : PAUSE;
        listening = false;
        if (stopped.await(Backoff.jittered(pause, JITTER).toNanos(), TimeUnit.NANOSECONDS)) return;
      }
    }
  }

  private boolean hear(Connection connection) throws SQLException {
    if (!listening) {
      bell.listen(connection);
      listening = true;
      ledger.ringAll();
      rung.run();
    }
    PGNotification[] bells =
        connection
            .unwrap(PGConnection.class)
            .getNotifications(Math.toIntExact(PROBE_AFTER.toMillis()));
    if (bells == null || bells.length == 0) probe(connection);
    else hear(bells);
    return true;
  }

  private void hear(PGNotification[] bells) {
    for (PGNotification bell : bells) heard(bell.getParameter());
    rung.run();
  }

  private void heard(String said) {
    Bell.cancelled(said).ifPresentOrElse(runner::cancel, () -> ledger.ring(said));
  }

  private static void probe(Connection connection) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute("select 1");
    }
  }
}
