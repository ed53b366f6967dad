package dev.dibs.bench;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.postgresql.PGConnection;

/** The limit of a wake-up: a bare NOTIFY until another connection of this process has it. */
final class NotifyEcho {
  private static final int PATIENCE_MILLIS = 10_000;

  private NotifyEcho() {}

  /**
   * So many round trips, one every {@code every}; answers what each took.
   *
   * @param connections leads to {@code db}
   */
  static long[] nanos(BenchDatabase db, DataSource connections, int count, Duration every)
      throws SQLException, InterruptedException {
    long[] nanos = new long[count];
    try (Connection listener = connections.getConnection();
        Connection notifier = connections.getConnection();
        var listen = listener.createStatement();
        var notify = notifier.createStatement()) {
      String channel = "\"" + db.schema().channel() + "_echo\"";
      listen.execute("listen " + channel);
      for (int i = 0; i < count; i++) {
        Await.pause(every);
        long sentAt = System.nanoTime();
        notify.execute("notify " + channel);
        if (listener.unwrap(PGConnection.class).getNotifications(PATIENCE_MILLIS).length == 0)
          throw new IllegalStateException("a notification did not come within 10 s");
        nanos[i] = System.nanoTime() - sentAt;
      }
    }
    return nanos;
  }
}
