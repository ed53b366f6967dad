package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.Priority;
import dev.dibs.Task;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One id in two queues is two tasks: what befalls one leaves the other as it was. */
class TwinTasksTest {
  private static final UUID ID = UUID.randomUUID();
  private static final UUID DEAD = UUID.randomUUID();
  private static final UUID LIVING = UUID.randomUUID();
  private static final UUID OTHERS_LEASE = UUID.randomUUID();

  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connectReadCommitted();

  @BeforeEach
  void letTheOtherRun() {
    insertRunning("other", OTHERS_LEASE, LIVING);
    db.execute(
        "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, lease_until)"
            + " values (?, 'h', 1, 'x', '{}', '{}', 1, now() + interval '1 hour')",
        LIVING);
  }

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  private void insert(String queue, String status, String runsIn) {
    db.execute(
        "insert into dibs.task (id, queue, kind, status, attempt, run_at)"
            + " values (?, ?, 'k', ?::dibs.task_status, 1, now() + ?::interval)",
        ID,
        queue,
        status,
        runsIn);
  }

  private void insertRunning(String queue, UUID lease, UUID worker) {
    db.execute(
        "insert into dibs.task (id, queue, kind, status, attempt, lease, worker_id)"
            + " values (?, ?, 'k', 'PROCESSING', 1, ?, ?)",
        ID,
        queue,
        lease,
        worker);
  }

  private String state(String queue) {
    return String.valueOf(
        db.value(
            "select concat_ws(' ', status, attempt, losses, lease) from dibs.task where queue = '"
                + queue
                + "'"));
  }

  private void assertOtherIsAsItWas() {
    assertThat(state("other")).isEqualTo("PROCESSING 1 0 " + OTHERS_LEASE);
  }

  @Test
  void claim_leavesTheTwinThatRuns() throws SQLException {
    insert("q", "PENDING", "0 s");
    var lane = new Exchange.LaneRoom(new Task.Lane("q", Priority.NORMAL), 0, 9);
    UUID lease = UUID.randomUUID();
    var claim =
        new Exchange.Claim(UUID.randomUUID(), lease, List.of(lane), Map.of("q", 9), Set.of("k"));
    Exchange.Result result =
        new Exchange(Schema.DEFAULT).run(connection, Exchange.Outcomes.NONE, claim);
    assertThat(result.claimed()).extracting(Task::queue).containsExactly("q");
    assertThat(state("q")).isEqualTo("PROCESSING 2 0 " + lease);
    assertOtherIsAsItWas();
  }

  @Test
  void promotion_leavesTheTwinsThatRunOrAreDueLater() throws SQLException {
    insert("q", "SCHEDULED", "-1 s");
    insert("later", "SCHEDULED", "1 hour");
    assertThat(new PromoteTasks(Schema.DEFAULT).promote(connection, 9).tasks()).isEqualTo(1);
    assertThat(state("q")).startsWith("PENDING");
    assertThat(state("later")).startsWith("SCHEDULED");
    assertOtherIsAsItWas();
  }

  @Test
  void rescue_leavesTheTwinOfALivingWorker() throws SQLException {
    insertRunning("q", UUID.randomUUID(), DEAD);
    var rescued = new RescueTasks(Schema.DEFAULT).rescue(connection, DEAD, "h", 3, 9);
    assertThat(rescued.returned()).isEqualTo(1);
    assertThat(state("q")).isEqualTo("PENDING 1 1");
    assertOtherIsAsItWas();
  }

  @Test
  void rescueOfOrphans_leavesTheTwinOfALivingWorker() throws SQLException {
    insertRunning("q", UUID.randomUUID(), DEAD);
    var rescued = new RescueTasks(Schema.DEFAULT).rescueOrphans(connection, 3, 9);
    assertThat(rescued.returned()).isEqualTo(1);
    assertThat(state("q")).isEqualTo("PENDING 1 1");
    assertOtherIsAsItWas();
  }
}
