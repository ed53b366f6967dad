package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.Pause;
import dev.dibs.Priority;
import dev.dibs.QueueRow;
import dev.dibs.Request;
import dev.dibs.Retention;
import dev.dibs.Task;
import dev.dibs.TaskStatus;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is done by hand to queues, kinds and workers. */
@Timeout(60)
class SteerTest {
  private final Steer steer = new Steer(Schema.DEFAULT);
  private final ListQueues list = new ListQueues(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();
  private final Session session = Session.on(db);
  private final Connection connection = session.connection();

  @AfterEach
  void drop() throws SQLException {
    session.close();
    db.close();
  }

  private static Request by(String actor, String why) {
    return Request.of(actor, "test", why);
  }

  private Set<String> claimed(String... kinds) throws SQLException {
    var lanes = Priority.values();
    var claim =
        new Exchange.Claim(
            UUID.randomUUID(),
            UUID.randomUUID(),
            java.util.Arrays.stream(lanes)
                .map(p -> new Exchange.LaneRoom(new Task.Lane("q", p), 0, 10))
                .toList(),
            Map.of("q", 10),
            Set.of(kinds));
    connection.setAutoCommit(false);
    try {
      return new Exchange(Schema.DEFAULT)
          .run(connection, Exchange.Outcomes.NONE, claim).claimed().stream()
              .map(Task::kind)
              .collect(Collectors.toSet());
    } finally {
      connection.rollback();
      connection.setAutoCommit(true);
    }
  }

  private Set<String> claimedBySql(String worker) throws SQLException {
    connection.setAutoCommit(false);
    try {
      return session
          .rows("select kind from dibs.claim(?::uuid, '{q}', '{a,b}', 10)", worker)
          .stream()
          .map(row -> String.valueOf(row.getFirst()))
          .collect(Collectors.toSet());
    } finally {
      connection.rollback();
      connection.setAutoCommit(true);
    }
  }

  @Test
  void pause_keepsAKindOrAQueueFromEveryClaimUntilItIsResumed() throws SQLException {
    session.execute("select dibs.enqueue(k, queue => 'q') from unnest('{a,b}'::text[]) k");
    String worker = session.value("select dibs.register('h', 1, '{q,r}', '{a,b}')");
    assertThat(claimed("a", "b")).containsOnly("a", "b");
    steer.pause(connection, Steer.What.KIND, "a", by("ana", "INC-7"));
    assertThat(claimed("a", "b")).containsOnly("b");
    assertThat(claimedBySql(worker)).containsOnly("b");
    assertThat(claimed("a")).isEmpty();
    steer.pause(connection, Steer.What.KIND, "b", by("ana", "INC-7"));
    assertThat(claimed("a", "b")).isEmpty();
    assertThat(claimedBySql(worker)).isEmpty();
    session.execute("listen dibs");
    steer.resume(connection, Steer.What.KIND, "a", by("bob", ""));
    assertThat(session.heard()).containsExactlyInAnyOrder("q", "r");
    steer.resume(connection, Steer.What.KIND, "b", by("bob", ""));
    steer.pause(connection, Steer.What.QUEUE, "q", by("ana", "INC-7"));
    assertThat(claimed("a", "b")).isEmpty();
    assertThat(claimedBySql(worker)).isEmpty();
    session.heard();
    steer.resume(connection, Steer.What.QUEUE, "q", by("bob", ""));
    assertThat(session.heard()).containsExactly("q");
    assertThat(claimed("a", "b")).containsOnly("a", "b");
    assertThat(claimedBySql(worker)).containsOnly("a", "b");
  }

  @ParameterizedTest
  @EnumSource
  void pause_byTwoShowsTheSecondWhatTheFirstSaid(Steer.What what) throws SQLException {
    Request first = by("ana", "INC-7");
    assertThat(steer.pause(connection, what, "x", first).result()).isEqualTo("done");
    var second = steer.pause(connection, what, "x", by("bob", "other"));
    assertThat(second.result()).isEqualTo("stale");
    assertThat(second.message()).contains("paused already by ana");
    assertThat(second.pause().orElseThrow())
        .extracting(Pause::by, Pause::why)
        .containsExactly("ana", "INC-7");
    assertThat(steer.resume(connection, what, "x", by("bob", "")).pause()).isEmpty();
    assertThat(steer.resume(connection, what, "x", by("ana", "")).result()).isEqualTo("stale");
    // The first request once more: it was done, and is not done again.
    var again = steer.pause(connection, what, "x", first);
    assertThat(again.result()).isEqualTo("done");
    assertThat(again.pause()).isEmpty();
    String kind = what == Steer.What.QUEUE ? "queue" : "kind";
    assertThat(
            session.rows(
                "select action, actor, why, before, after, result from dibs.audit order by at"))
        .containsExactly(
            List.of(kind + ".pause", "ana", "INC-7", "running", "paused", "done"),
            List.of(kind + ".pause", "bob", "other", "paused", "paused", "stale"),
            List.of(kind + ".resume", "bob", "", "paused", "running", "done"),
            List.of(kind + ".resume", "ana", "", "running", "running", "stale"));
  }

  @Test
  void pause_tellsHowManyRun() throws SQLException {
    session.execute("select dibs.enqueue('a', queue => 'q') from generate_series(1, 3)");
    String worker = session.value("select dibs.register('h', 1, '{q}', '{a}')");
    session.execute("select dibs.claim(?::uuid, '{q}', '{a}', 2)", worker);
    assertThat(steer.pause(connection, Steer.What.QUEUE, "q", by("ana", "")).running())
        .isEqualTo(2);
    assertThat(steer.pause(connection, Steer.What.KIND, "a", by("ana", "")).running()).isEqualTo(2);
    assertThat(steer.pause(connection, Steer.What.KIND, "b", by("ana", "")).running()).isZero();
  }

  @Test
  void pause_refusesWhatIsNoName() {
    assertThatThrownBy(
            () -> steer.pause(connection, Steer.What.QUEUE, "x".repeat(129), by("ana", "")))
        .hasMessageContaining("1 to 128 characters");
    assertThatThrownBy(() -> by("", "")).hasMessageContaining("actor must not be empty");
    assertThatThrownBy(() -> by("a", "x".repeat(2001))).hasMessageContaining("at most 2000");
  }

  @Test
  void retain_keepsOfEachOutcomeWhatWasAskedForAlsoOfWhatEndsNow() throws SQLException {
    var kept = new Retention(Duration.ZERO, Duration.ofDays(30), Duration.ofHours(2));
    steer.retain(connection, "q", kept, by("ana", "disk"));
    assertThat(list.queues(connection))
        .extracting(QueueRow::name, QueueRow::retention)
        .containsExactly(org.assertj.core.groups.Tuple.tuple("q", kept));
    for (TaskStatus status : List.of(TaskStatus.SUCCEEDED, TaskStatus.DEAD, TaskStatus.CANCELLED)) {
      session.execute("select dibs.enqueue('a', queue => 'q') from generate_series(1, 2)");
      end(status);
      String worker = session.value("select dibs.register('h', 1, '{q}', '{a}')");
      session.execute(
          "select dibs.finish(id, lease, lower(?)) from dibs.claim(?::uuid, '{q}', '{a}', 1)",
          status.name(),
          worker);
    }
    assertThat(
            session.rows(
                "select status, count(*) from dibs.task_history group by status order by status"))
        .containsExactly(List.of("DEAD", "2"), List.of("CANCELLED", "2"));
    assertThat(db.number("select count(*) from dibs.task")).isZero();
    // What builds of before go by: nothing that is wanted is lost.
    assertThat(session.value("select retention from dibs.queue")).isEqualTo("720:00:00");
  }

  /** Claims one and ends it, as the engine does. */
  private void end(TaskStatus status) throws SQLException {
    var exchange = new Exchange(Schema.DEFAULT);
    var lane = new Exchange.LaneRoom(new Task.Lane("q", Priority.NORMAL), 0, 1);
    var claim =
        new Exchange.Claim(
            UUID.randomUUID(), UUID.randomUUID(), List.of(lane), Map.of("q", 1), Set.of("a"));
    Task task = exchange.run(connection, Exchange.Outcomes.NONE, claim).claimed().getFirst();
    var nothing =
        new Exchange.Claim(UUID.randomUUID(), UUID.randomUUID(), List.of(), Map.of(), Set.of());
    var ended = new Exchange.Ended(task.hold(), status, null);
    assertThat(
            exchange
                .run(connection, new Exchange.Outcomes(List.of(ended), List.of()), nothing)
                .refused())
        .isEmpty();
  }

  @Test
  void drain_asksALiveWorkerAndNoOther() throws SQLException {
    UUID worker = UUID.fromString(session.value("select dibs.register('h', 1, '{q}', '{a}')"));
    assertThat(steer.drain(connection, worker, by("ana", "update")).result()).isEqualTo("done");
    var second = steer.drain(connection, worker, by("bob", ""));
    assertThat(second.result()).isEqualTo("stale");
    assertThat(second.message()).contains("already by ana");
    assertThat(list.workers(connection))
        .singleElement()
        .satisfies(row -> {
          assertThat(row.drain().orElseThrow().by()).isEqualTo("ana");
          assertThat(row.state().status()).isEqualTo("LIVE");
        });
    var beat = new WorkerRows(Schema.DEFAULT).beatIfLive(connection, worker, Duration.ofHours(1));
    assertThat(beat.drain().orElseThrow().why()).isEqualTo("update");
    assertThat(steer.undrain(connection, worker, by("bob", "")).result()).isEqualTo("done");
    assertThat(steer.undrain(connection, UUID.randomUUID(), by("bob", "")).result())
        .isEqualTo("missing");
    db.execute("update dibs.worker set status = 'DEAD'");
    assertThat(steer.drain(connection, worker, by("bob", "")).result()).isEqualTo("refused");
    assertThat(db.number("select count(*) from dibs.audit")).isEqualTo(5);
  }

  @Test
  void lists_holdWhatIsServedWhatWaitsAndWhatWasSteered() throws SQLException {
    session.execute("select dibs.register('h', 1, '{served}', '{known}')");
    session.execute("select dibs.enqueue('other', queue => 'waits')");
    steer.pause(connection, Steer.What.QUEUE, "paused", by("ana", "why"));
    steer.pause(connection, Steer.What.KIND, "bad", by("ana", "why"));
    assertThat(list.queues(connection))
        .extracting(QueueRow::name, QueueRow::workers, row -> row.pause().isPresent())
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("paused", 0, true),
            org.assertj.core.groups.Tuple.tuple("served", 1, false),
            org.assertj.core.groups.Tuple.tuple("waits", 0, false));
    for (QueueRow row : list.queues(connection))
      assertThat(list.queue(connection, row.name())).contains(row);
    assertThat(list.queue(connection, "none")).isEmpty();
    assertThat(list.kinds(connection))
        .extracting(row -> row.name() + " " + row.workers() + " " + row.pause().isPresent())
        .containsExactly("bad 0 true", "known 1 false");
  }
}
