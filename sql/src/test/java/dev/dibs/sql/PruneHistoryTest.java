package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Request;
import dev.dibs.Retention;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How history goes: whole days at once, and of the rest what its queue does not want. */
@Timeout(60)
class PruneHistoryTest {
  private final Duties duties = new Duties(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();
  private final Session session = Session.on(db);
  private final Connection connection = session.connection();

  @AfterEach
  void drop() throws SQLException {
    session.close();
    db.close();
  }

  private void end(String queue, String status, String age, int rows) {
    db.execute(
        "insert into dibs.task_history (id, queue, kind, status, attempt, created_at, run_at, finished_at, priority, failures, losses, max_attempts, payload)"
            + " select gen_random_uuid(), ?, 'k', ?::dibs.task_status, 1, now(), now(), now() - ?::interval - n * interval '1 ms', 3, 0, 0, 1, '{}'"
            + " from generate_series(1, ?) n",
        queue,
        status,
        age,
        rows);
  }

  private void addOldDay() {
    db.execute(
        "create table dibs.task_history_20200101 partition of dibs.task_history for values from ('2020-01-01Z') to ('2020-01-02Z')");
  }

  private long rows(String queue, String status) {
    return db.number(
        "select count(*) from dibs.task_history where queue = ? and status = ?::dibs.task_status",
        queue,
        status);
  }

  @Test
  void rows_goWhenTheirOwnRetentionIsOverBitByBit() throws SQLException {
    var retention = new Retention(Duration.ofHours(1), Duration.ofDays(30), Duration.ofHours(3));
    retain("short", retention);
    retain("long", Retention.of(Duration.ofDays(30)));
    for (String queue : new String[] {"default", "long", "short"})
      for (String status : new String[] {"SUCCEEDED", "DEAD", "CANCELLED"}) {
        end(queue, status, "2 hours", 10);
        end(queue, status, "10 days", 10);
      }
    int batches = 0;
    while (duties.pruneRows(connection, 7)) batches++;
    assertThat(batches).isBetween(5, 60);
    assertThat(rows("short", "SUCCEEDED")).isZero();
    assertThat(rows("short", "CANCELLED")).isEqualTo(10);
    assertThat(rows("short", "DEAD")).isEqualTo(20);
    assertThat(rows("long", "SUCCEEDED")).isEqualTo(20);
    assertThat(rows("default", "DEAD")).isEqualTo(10);
    // Nothing is looked at again that was kept or deleted.
    assertThat(duties.pruneRows(connection, 1)).isFalse();
    end("short", "SUCCEEDED", "61 minutes", 10);
    assertThat(duties.pruneRows(connection, 100)).isFalse();
    assertThat(rows("short", "SUCCEEDED")).isZero();
  }

  /** The rows before the horizon that are kept must not be looked at again and again. */
  @Test
  void rows_thatAreKeptStandInNobodysWay() throws SQLException {
    retain("mail", new Retention(Duration.ofDays(7), Duration.ofDays(30), Duration.ofDays(1)));
    retain("other", new Retention(Duration.ofDays(1), Duration.ofDays(30), Duration.ofDays(1)));
    end("mail", "SUCCEEDED", "1 day 1 minute", 30);
    end("mail", "CANCELLED", "1 day 2 minutes", 1);
    end("other", "SUCCEEDED", "2 days", 5);
    int batches = 0;
    while (batches < 50 && duties.pruneRows(connection, 7)) batches++;
    assertThat(batches).isLessThan(20);
    assertThat(rows("mail", "SUCCEEDED")).isEqualTo(30);
    assertThat(rows("mail", "CANCELLED")).isZero();
    assertThat(rows("other", "SUCCEEDED")).isZero();
    assertThat(duties.pruneRows(connection, 1)).isFalse();
  }

  /** One queue ends more than a batch, each time; another one has its turn all the same. */
  @Test
  void rows_ofABusyQueueDoNotKeepThoseOfOthers() throws SQLException {
    for (String queue : new String[] {"a", "b"})
      retain(queue, new Retention(Duration.ofHours(1), Duration.ofDays(30), Duration.ofHours(1)));
    end("b", "SUCCEEDED", "5 hours", 5);
    for (int batch = 0; rows("b", "SUCCEEDED") > 0; batch++) {
      assertThat(batch).isLessThan(20);
      end("a", "SUCCEEDED", (300 - batch) + " minutes", 20);
      assertThat(duties.pruneRows(connection, 7)).isTrue();
    }
    assertThat(rows("a", "SUCCEEDED")).isPositive();
  }

  private void retain(String queue, Retention retention) throws SQLException {
    new Steer(Schema.DEFAULT).retain(connection, queue, retention, Request.of("ana", "test", ""));
  }

  @Test
  void days_goWhenEveryRetentionIsOver() throws SQLException {
    addOldDay();
    retain("q", Retention.DEFAULT.withDead(Duration.ofDays(10_000)));
    assertThat(duties.prune(connection)).isZero();
    retain("q", Retention.DEFAULT.withDead(Duration.ofDays(100)));
    assertThat(duties.prune(connection)).isEqualTo(1);
    assertThat(db.value("select to_regclass('dibs.task_history_20200101')")).isNull();
  }

  /** Likewise a new day's partition, which locks the default one. */
  @Test
  void newDay_behindAReaderStallsNobodyAndComesLater() throws Exception {
    try (Session reader = Session.on(db);
        Session other = Session.on(db)) {
      reader.connection().setAutoCommit(false);
      reader.execute("select count(*) from dibs.task_history");
      connection.createStatement().execute("set statement_timeout = '20 s'");
      long before = System.nanoTime();
      assertThat(duties.createPartitions(connection, 6)).isEmpty();
      assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
      other.execute("set lock_timeout = '1 ms'");
      other.execute("select count(*) from dibs.task_history");
      reader.connection().rollback();
    }
    long missing = // one more if a day began since the database was migrated
        db.number(
            "select count(*) from generate_series(0, 6) n where to_regclass('dibs.task_history_'"
                + " || to_char((now() at time zone 'UTC')::date + n, 'YYYYMMDD')) is null");
    assertThat(missing).isGreaterThanOrEqualTo(3);
    assertThat(duties.createPartitions(connection, 6)).hasValue(Math.toIntExact(missing));
  }

  /**
   * Somebody reads history and does not end: the drop gives way, and who writes outcomes meanwhile
   * waits for a moment only.
   */
  @Test
  void drop_behindAReaderStallsNobody() throws Exception {
    addOldDay();
    try (Connection reader = db.connect();
        Session writer = Session.on(db)) {
      reader.setAutoCommit(false);
      reader.createStatement().executeQuery("select count(*) from dibs.task_history").close();
      var pruned =
          CompletableFuture.supplyAsync(() -> {
            try {
              int dropped = 0;
              for (int i = 0; i < 20; i++) dropped += duties.prune(connection);
              return dropped;
            } catch (SQLException e) {
              throw new CompletionException(e);
            }
          });
      String worker = writer.value("select dibs.register('h', 1, '{q}', '{k}')");
      long longest = 0;
      int ended = 0;
      while (!pruned.isDone() || ended < 20) {
        writer.execute("select dibs.enqueue('k', queue => 'q')");
        long before = System.nanoTime();
        assertThat(
                writer.value(
                    "select dibs.finish(id, lease, 'succeeded') from dibs.claim(?::uuid, '{q}', '{k}', 1)",
                    worker))
            .isEqualTo("t");
        longest = Math.max(longest, System.nanoTime() - before);
        ended++;
      }
      assertThat(pruned.get()).isZero();
      assertThat(Duration.ofNanos(longest)).isLessThan(Duration.ofSeconds(5));
      assertThat(db.finished("SUCCEEDED")).isEqualTo(ended);
      reader.rollback();
    }
    await().until(() -> duties.prune(connection) == 1);
  }
}
