package dev.dibs.worker;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Codec;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Priority;
import dev.dibs.Task;
import dev.dibs.producer.Producer;
import dev.dibs.sql.Exchange;
import dev.dibs.sql.FinishTask;
import dev.dibs.sql.RescueTasks;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The condition that handlers put into statements of their own. */
@Timeout(30)
class FenceTest {
  private static final UUID WORKER = UUID.randomUUID();

  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connect();
  private final Producer producer = Producer.on(db.dataSource());
  private final Exchange exchange = new Exchange(Schema.DEFAULT);

  @BeforeEach
  void createAccount() {
    db.execute("create table account (number int, sent boolean not null)");
    db.execute("insert into account values (1, false)");
    producer.enqueue(Kind.json("k").task(new Json("1")).queue("q"));
  }

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    producer.close();
    db.close();
  }

  private RunningTask claim() throws SQLException {
    var lane = new Exchange.LaneRoom(new Task.Lane("q", Priority.NORMAL), 0, 1);
    var claim =
        new Exchange.Claim(WORKER, UUID.randomUUID(), List.of(lane), Map.of("q", 1), Set.of("k"));
    Task task = exchange.run(connection, Exchange.Outcomes.NONE, claim).claimed().getFirst();
    var transactions =
        new TaskTransactions(
            db.dataSource(),
            new FinishTask(Schema.DEFAULT),
            producer,
            new WorkerMeters(new SimpleMeterRegistry()));
    return new RunningTask(task, transactions, Codec.jackson());
  }

  /** As the javadoc of {@link RunningTask#fence} shows it. */
  private static int writeFenced(Connection connection, RunningTask task) throws SQLException {
    RunningTask.Fence fence = task.fence();
    var sql = "update account set sent = true where number = ? and " + fence.sql();
    try (var statement = connection.prepareStatement(sql)) {
      statement.setInt(1, 1);
      assertThat(fence.bind(statement, 2)).isEqualTo(4);
      return statement.executeUpdate();
    }
  }

  private int rescued() throws SQLException {
    return new RescueTasks(Schema.DEFAULT).rescue(connection, WORKER, "h", 3, 10).returned();
  }

  @Test
  void aFencedWrite_happensWhileTheRunHoldsItsTask() throws SQLException {
    assertThat(writeFenced(connection, claim())).isEqualTo(1);
  }

  @Test
  void aFencedWriteOfARunThatLostItsTask_touchesNoRow() throws SQLException {
    RunningTask zombie = claim();
    assertThat(rescued()).isEqualTo(1);
    RunningTask successor = claim();
    assertThat(writeFenced(connection, zombie)).isZero();
    assertThat(db.value("select sent from account")).isEqualTo("f");
    assertThat(writeFenced(connection, successor)).isEqualTo(1);
  }

  /**
   * The zombie's write begins and waits for the account's row; meanwhile its task would change
   * hands and the successor write. Without the lock the zombie, looking for its lease in the old
   * snapshot, would write after its successor.
   */
  @Test
  void aTaskWhoseRunIsInTheMiddleOfAFencedWrite_isNotTakenFromIt() throws Exception {
    RunningTask run = claim();
    try (Connection operator = db.connect();
        Connection own = db.connect();
        var statement = operator.createStatement()) {
      operator.setAutoCommit(false);
      statement.execute("select from account where number = 1 for update");
      var written = CompletableFuture.supplyAsync(() -> writeOn(own, run));
      await()
          .atMost(ofSeconds(10))
          .until(() ->
              db.number(
                      "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                  == 1);
      assertThat(rescued()).isZero();
      operator.rollback();
      assertThat(written.join()).isEqualTo(1);
    }
    assertThat(rescued()).isEqualTo(1);
  }

  private static int writeOn(Connection connection, RunningTask run) {
    try {
      return writeFenced(connection, run);
    } catch (SQLException e) {
      throw new CompletionException(e);
    }
  }

  @Test
  void aFence_goesIntoJooqAsAPlainCondition() throws SQLException {
    RunningTask.Fence fence = claim().fence();
    var dsl = DSL.using(connection, SQLDialect.POSTGRES);
    int written =
        dsl.update(DSL.table("account"))
            .set(DSL.field("sent"), true)
            .where(DSL.condition(fence.sql(), fence.values().toArray()))
            .execute();
    assertThat(written).isEqualTo(1);
  }
}
