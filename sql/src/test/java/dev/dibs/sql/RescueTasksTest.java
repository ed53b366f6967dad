package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class RescueTasksTest {
  private static final long GATE = 4711;

  private final RescueTasks rescue = new RescueTasks(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();

  @AfterEach
  void drop() {
    db.close();
  }

  private void insertHeldBy(UUID worker) {
    db.execute(
        "insert into dibs.task (id, queue, kind, status, attempt, lease, worker_id)"
            + " values (gen_random_uuid(), 'q', 'k', 'PROCESSING', 1, gen_random_uuid(), ?)",
        worker);
  }

  private RescueTasks.Rescued rescueOrphans() {
    try (Connection connection = db.connectReadCommitted();
        var settings = connection.createStatement()) {
      // so that every worker row passes the gate, whatever it is compared with
      settings.execute(
          "set enable_indexscan = off; set enable_indexonlyscan = off; set enable_bitmapscan = off");
      return rescue.rescueOrphans(connection, 3, 100);
    } catch (SQLException e) {
      throw new CompletionException(e);
    }
  }

  /**
   * The search begins; the orphan is rescued by another, a worker registers and claims it; only
   * then does the search lock what it found. It looks at the new row then, but at the workers of
   * its snapshot, and took the task from a living worker. A view over worker holds the search up.
   */
  @Test
  void orphanSearch_leavesATaskThatALaterWorkerClaimedMeanwhile() throws SQLException {
    UUID later = UUID.randomUUID();
    insertHeldBy(UUID.randomUUID());
    db.execute("alter table dibs.worker rename to worker_rows");
    db.execute(
        "create function dibs.gate() returns boolean language plpgsql volatile cost 0.0001 as $$ begin"
            + " perform pg_advisory_lock_shared(%1$d); perform pg_advisory_unlock_shared(%1$d); return true; end $$"
                .formatted(GATE));
    db.execute("create view dibs.worker as select * from dibs.worker_rows where dibs.gate()");
    db.execute(
        "insert into dibs.worker_rows (id, host, pid, version, queues, kinds, concurrency, lease_until)"
            + " values (gen_random_uuid(), 'h', 1, 'x', '{q}', '{k}', 8, now() + interval '1 hour')");
    try (Connection keeper = db.connectReadCommitted();
        var gate = keeper.createStatement()) {
      gate.execute("select pg_advisory_lock(" + GATE + ")");
      var rescued = CompletableFuture.supplyAsync(this::rescueOrphans);
      await()
          .until(() ->
              db.number(
                      "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'advisory'")
                  == 1);
      db.execute("update dibs.task set status = 'PENDING', lease = null, worker_id = null");
      db.execute(
          "insert into dibs.worker_rows (id, host, pid, version, queues, kinds, concurrency, lease_until)"
              + " values (?, 'h', 1, 'x', '{q}', '{k}', 8, now() + interval '1 hour')",
          later);
      db.execute(
          "update dibs.task set status = 'PROCESSING', attempt = 2, lease = gen_random_uuid(), worker_id = ?",
          later);
      gate.execute("select pg_advisory_unlock(" + GATE + ")");
      assertThat(rescued.join().returned()).isZero();
    }
    assertThat(db.number("select count(*) from dibs.task where worker_id = ?", later)).isEqualTo(1);
    assertThat(db.number("select losses from dibs.task")).isZero();
  }

  @Test
  void orphanSearch_goesPastWhatOthersHaveLocked() throws SQLException {
    for (int i = 0; i < 150; i++) insertHeldBy(new UUID(0, i));
    try (Connection theirs = db.connectReadCommitted();
        var statement = theirs.createStatement()) {
      theirs.setAutoCommit(false);
      statement.execute(
          "select from dibs.task where worker_id < '%s' for update".formatted(new UUID(0, 120)));
      assertThat(rescueOrphans().returned()).isEqualTo(30);
      theirs.rollback();
    }
  }

  @Test
  void twoRescuersAtOnce_countALossOnce() throws SQLException {
    UUID worker = UUID.randomUUID();
    for (int i = 0; i < 50; i++) insertHeldBy(worker);
    try (Connection one = db.connectReadCommitted();
        Connection other = db.connectReadCommitted()) {
      one.setAutoCommit(false);
      assertThat(rescue.rescue(one, worker, "h", 3, 30).returned()).isEqualTo(30);
      assertThat(rescue.rescue(other, worker, "h", 3, 100).returned()).isEqualTo(20);
      one.commit();
      assertThat(rescue.rescue(other, worker, "h", 3, 100).returned()).isZero();
    }
    assertThat(db.number("select count(*) from dibs.task where losses = 1")).isEqualTo(50);
  }

  @Test
  void aTaskBuriedByRescue_doesNotLookEndedByItsRun() throws SQLException {
    UUID worker = UUID.randomUUID();
    insertHeldBy(worker);
    try (Connection connection = db.connectReadCommitted()) {
      assertThat(rescue.rescue(connection, worker, "h", 1, 100).buried()).isEqualTo(1);
    }
    assertThat(db.value("select lease from dibs.task_history where status = 'DEAD'")).isNull();
  }
}
