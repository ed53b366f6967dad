package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Priority;
import dev.dibs.Task;
import dev.dibs.TaskStatus;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class ExchangeTest {
  private static final UUID WORKER = UUID.fromString("00000000-0000-4000-8000-000000000001");
  private static final Duration LEASE = Duration.ofSeconds(15);
  private static final String ERROR = "{\"class\": \"IllegalStateException\", \"message\": \"no\"}";

  private final Exchange exchange = new Exchange(Schema.DEFAULT);
  private final InsertTasks insert = new InsertTasks(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connectReadCommitted();

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  private static NewTask<Json> task() {
    return Kind.json("mail").task(new Json("{\"to\": 1}")).queue("q");
  }

  private void insert(NewTask<?>... tasks) throws SQLException {
    List<InsertTasks.Row> rows = new ArrayList<>();
    for (NewTask<?> task : tasks) {
      rows.add(
          new InsertTasks.Row(
              task.id(), task.kind().name(), ((Json) task.payload()).text(), null, task.options()));
    }
    assertThat(insert.insert(connection, rows)).hasSize(tasks.length);
  }

  private static Exchange.Claim claim(int room) {
    return claim(room, 0, Set.of("mail"));
  }

  private static Exchange.Claim claim(int room, long floor, Set<String> kinds) {
    List<Exchange.LaneRoom> lanes = new ArrayList<>();
    for (Priority priority : Priority.values()) {
      lanes.add(new Exchange.LaneRoom(new Task.Lane("q", priority), floor, room));
    }
    return new Exchange.Claim(WORKER, UUID.randomUUID(), lanes, Map.of("q", room), kinds);
  }

  private Exchange.Result run(Exchange.Outcomes outcomes, Exchange.Claim claim)
      throws SQLException {
    return exchange.run(connection, outcomes, claim);
  }

  private Exchange.Outcomes ended(Task task, TaskStatus status) {
    String error = status == TaskStatus.SUCCEEDED ? null : ERROR;
    return new Exchange.Outcomes(
        List.of(new Exchange.Ended(task.hold(), status, error)), List.of());
  }

  private Exchange.Outcomes again(Task task, Duration delay, boolean failed) {
    return new Exchange.Outcomes(
        List.of(), List.of(new Exchange.Again(task.hold(), delay, failed, ERROR)));
  }

  @Test
  void exchange_claimsInTheOrderOfPriorityAndPosition() throws SQLException {
    NewTask<?> low = task().priority(Priority.LOW);
    NewTask<?> first = task();
    NewTask<?> second = task();
    NewTask<?> urgent = task().priority(Priority.URGENT);
    insert(low, first);
    insert(second, urgent);

    Exchange.Result two = run(Exchange.Outcomes.NONE, claim(2));
    Exchange.Result rest = run(Exchange.Outcomes.NONE, claim(9));

    assertThat(two.claimed())
        .extracting(Task::id)
        .containsExactlyInAnyOrder(urgent.id(), first.id());
    assertThat(rest.claimed())
        .extracting(Task::id)
        .containsExactlyInAnyOrder(second.id(), low.id());
    assertThat(rest.claimed()).allSatisfy(task -> assertThat(task.tries().attempt()).isEqualTo(1));
    assertThat(rest.claimed().getFirst().content().payload()).isEqualTo("{\"to\": 1}");
    assertThat(db.tasks("PROCESSING")).isEqualTo(4);
  }

  @Test
  void task_cannotHaveATimeoutThatNoClaimCouldAnswer() throws SQLException {
    insert(task());
    for (String timeout : List.of("1000000 years", "101 years", "-1 s")) {
      assertThatThrownBy(() -> db.execute("update dibs.task set timeout = '" + timeout + "'"))
          .hasMessageContaining("task_timeout_positive");
    }
  }

  @Test
  void exchange_finishesAndClaims() throws SQLException {
    insert(task(), task());
    Task first = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();

    Exchange.Result result = run(ended(first, TaskStatus.SUCCEEDED), claim(1));

    assertThat(result.claimed()).hasSize(1);
    assertThat(result.refused()).isEmpty();
    assertThat(db.finished("SUCCEEDED")).isEqualTo(1);
    assertThat(db.value("select lease::text from dibs.task_history"))
        .isEqualTo(first.hold().lease().toString());
  }

  @Test
  void exchange_refusesARunThatLostItsLease() throws SQLException {
    insert(task());
    Task mine = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();
    run(again(mine, Duration.ZERO, false), claim(0));
    Task theirs = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();

    assertThat(run(ended(mine, TaskStatus.SUCCEEDED), claim(0)).refused())
        .containsExactly(mine.id());
    assertThat(run(again(mine, Duration.ZERO, true), claim(0)).refused())
        .containsExactly(mine.id());
    assertThat(db.tasks("PROCESSING")).isEqualTo(1);
    assertThat(run(ended(theirs, TaskStatus.SUCCEEDED), claim(0)).refused()).isEmpty();
  }

  @Test
  void exchange_refusesARunWhoseTaskIsHeldUnderAnotherLeaseOfItsBatch() throws SQLException {
    insert(task(), task());
    Task zombie = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();
    run(again(zombie, Duration.ZERO, false), claim(0));
    List<Task> both = run(Exchange.Outcomes.NONE, claim(2)).claimed();
    Task other = both.stream().filter(t -> !t.id().equals(zombie.id())).findFirst().orElseThrow();
    assertThat(both).hasSize(2);

    Exchange.Result result =
        run(
            new Exchange.Outcomes(
                List.of(
                    new Exchange.Ended(zombie.hold(), TaskStatus.SUCCEEDED, null),
                    new Exchange.Ended(other.hold(), TaskStatus.SUCCEEDED, null)),
                List.of()),
            claim(0));

    assertThat(result.refused()).containsExactly(zombie.id());
    assertThat(db.tasks("PROCESSING")).isEqualTo(1);
  }

  @Test
  void exchange_endsTasksOfAnyIdsAsEachWasSent() throws SQLException {
    db.execute(
        "insert into dibs.task (id, queue, kind) select id, 'q', 'mail' from (select gen_random_uuid() id"
            + " from generate_series(1, 60) union all values ('00000000-0000-0000-0000-000000000000'::uuid),"
            + " ('7fffffff-ffff-ffff-ffff-ffffffffffff'), ('80000000-0000-0000-0000-000000000000'),"
            + " ('ffffffff-ffff-ffff-ffff-ffffffffffff')) ids");
    List<Task> claimed = new ArrayList<>(run(Exchange.Outcomes.NONE, claim(40)).claimed());
    claimed.addAll(run(Exchange.Outcomes.NONE, claim(40)).claimed());
    List<Exchange.Ended> ended = new ArrayList<>();
    for (Task task : claimed) {
      ended.add(
          switch (ended.size() % 3) {
            case 0 -> new Exchange.Ended(task.hold(), TaskStatus.SUCCEEDED, null);
            case 1 -> new Exchange.Ended(task.hold(), TaskStatus.DEAD, message(task));
            default -> new Exchange.Ended(task.hold(), TaskStatus.CANCELLED, message(task));
          });
    }
    Exchange.Result result = run(new Exchange.Outcomes(ended, List.of()), claim(1));
    assertThat(result.refused()).isEmpty();
    for (Exchange.Ended one : ended) {
      UUID id = one.hold().id();
      assertThat(db.value("select status from dibs.task_history where id = ?", id))
          .isEqualTo(one.status().name());
      String kept = "select errors -> 0 ->> 'message' from dibs.task_history where id = ?";
      assertThat(db.value(kept, id)).isEqualTo(one.error() == null ? null : id.toString());
    }
    assertThat(db.number("select count(*) from dibs.task")).isZero();
  }

  private static String message(Task task) {
    return "{\"message\": \"" + task.id() + "\"}";
  }

  @Test
  void exchange_endsTwoTasksOfOneIdEachUnderItsLease() throws SQLException {
    UUID id = UUID.randomUUID();
    String insert = "insert into dibs.task (id, queue, kind) values (?, ?, 'mail')";
    db.execute(insert, id, "q");
    Task first = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();
    db.execute(insert, id, "other");
    db.execute(
        "update dibs.task set status = 'PROCESSING', lease = ?, worker_id = ? where queue = 'other'",
        WORKER,
        WORKER);
    var second = new Exchange.Ended(new Task.Hold(id, WORKER), TaskStatus.DEAD, null);
    var both =
        List.of(new Exchange.Ended(first.hold(), TaskStatus.SUCCEEDED, null), second, second);
    Exchange.Result result = run(new Exchange.Outcomes(both, List.of()), claim(1));
    assertThat(result.refused()).containsExactly(id);
    String status = "select status from dibs.task_history where id = ? and queue = ?";
    assertThat(db.value(status, id, "q")).isEqualTo("SUCCEEDED");
    assertThat(db.value(status, id, "other")).isEqualTo("DEAD");
  }

  @Test
  @Timeout(30)
  void exchange_refusesARunWhoseTaskChangedHandsWhileItWaitedForTheRow() throws Exception {
    insert(task(), task());
    Task mine = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();
    Task other = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();
    var outcomes =
        new Exchange.Outcomes(
            List.of(
                new Exchange.Ended(mine.hold(), TaskStatus.SUCCEEDED, null),
                new Exchange.Ended(other.hold(), TaskStatus.SUCCEEDED, null)),
            List.of());
    try (Connection theirs = db.connectReadCommitted();
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      theirs.setAutoCommit(false);
      // Under the very lease that the batch holds for its other task, so that ids and leases of the
      // batch are both known to it, only not as this pair.
      try (var update = theirs.prepareStatement("update dibs.task set lease = ? where id = ?")) {
        update.setObject(1, other.hold().lease());
        update.setObject(2, mine.id());
        assertThat(update.executeUpdate()).isEqualTo(1);
      }
      Future<Exchange.Result> result = threads.submit(() -> run(outcomes, claim(0)));
      await()
          .until(() ->
              db.number(
                      "select count(*) from pg_stat_activity where datname = current_database()"
                          + " and wait_event_type = 'Lock'")
                  == 1);
      theirs.commit();

      assertThat(result.get().refused()).containsExactly(mine.id());
      assertThat(db.tasks("PROCESSING")).isEqualTo(1);
    }
  }

  @Test
  void exchange_waitsForTheDiskWithOutcomesButNotWithClaims() throws SQLException {
    insert(task(), task());
    try (var statement = connection.createStatement()) {
      statement.execute("set synchronous_commit = on");
    }
    connection.setAutoCommit(false);
    Task first = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();
    assertThat(synchronousCommit()).isEqualTo("off");
    connection.commit();
    assertThat(synchronousCommit()).isEqualTo("on");

    run(ended(first, TaskStatus.SUCCEEDED), claim(1));
    assertThat(synchronousCommit()).isEqualTo("on");
    connection.commit();
    connection.setAutoCommit(true);
    assertThat(db.finished("SUCCEEDED")).isEqualTo(1);
  }

  /**
   * Claims that meet rows which changed hands while they looked lock them until they commit. If
   * they waited for each other after that, the server would have to end one of them.
   */
  @Test
  @Timeout(120)
  void exchanges_neverDeadlockHoweverManyClaimAtOnce() throws Exception {
    int claimers = 32;
    db.execute(
        "insert into dibs.task (id, queue, kind) select gen_random_uuid(), 'q', 'mail'"
            + " from generate_series(1, 30000)");
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> all = new ArrayList<>();
      for (int i = 0; i < claimers; i++) all.add(threads.submit(this::drain));
      int ended = 0;
      for (Future<Integer> one : all) ended += one.get();
      assertThat(ended).isEqualTo(30_000);
    }
    assertThat(db.tasks("PROCESSING")).isZero();
  }

  /** Claims and ends until nothing is left; a deadlock would throw. */
  private int drain() throws SQLException {
    int ended = 0;
    try (Connection mine = db.connectReadCommitted()) {
      List<Task> held = List.of();
      do {
        List<Exchange.Ended> done =
            held.stream()
                .map(task -> new Exchange.Ended(task.hold(), TaskStatus.SUCCEEDED, null))
                .toList();
        var result = exchange.run(mine, new Exchange.Outcomes(done, List.of()), claim(100));
        assertThat(result.refused()).isEmpty();
        ended += held.size();
        held = result.claimed();
      } while (!held.isEmpty());
    }
    return ended;
  }

  private String synchronousCommit() throws SQLException {
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery("show synchronous_commit")) {
      rows.next();
      return rows.getString(1);
    }
  }

  @Test
  void twoAttemptsThatFailInReverseOrder_leaveTheQueueServed() throws SQLException {
    insert(task());
    Task first = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();
    new RescueTasks(Schema.DEFAULT).rescue(connection, WORKER, "h", 3, 1);
    Task second = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();

    assertThat(run(ended(second, TaskStatus.DEAD), claim(0)).refused()).isEmpty();
    assertThat(run(again(first, Duration.ZERO, true), claim(0)).refused())
        .containsExactly(first.id());

    assertThat(db.finished("DEAD")).isEqualTo(1);
    insert(task());
    assertThat(run(Exchange.Outcomes.NONE, claim(1)).claimed()).hasSize(1);
  }

  @Test
  void exchange_schedulesARetryAndKeepsItsError() throws SQLException {
    insert(task());
    Task failed = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();

    run(again(failed, Duration.ofMinutes(5), true), claim(1));

    assertThat(db.tasks("SCHEDULED")).isEqualTo(1);
    assertThat(db.number("select failures from dibs.task")).isEqualTo(1);
    assertThat(db.value("select errors -> 0 ->> 'class' from dibs.task"))
        .isEqualTo("IllegalStateException");
    assertThat(db.number("select (errors -> 0 ->> 'attempt')::int from dibs.task")).isEqualTo(1);
    assertThat(
            db.number(
                "select count(*) from dibs.task where run_at between now() + '4 min' and now() + '6 min'"))
        .isEqualTo(1);
  }

  @Test
  void exchange_keepsTheLastTenErrors() throws SQLException {
    insert(task());
    for (int i = 1; i <= 12; i++) {
      Task failed = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();
      run(again(failed, Duration.ZERO, true), claim(0));
    }
    assertThat(db.number("select jsonb_array_length(errors) from dibs.task")).isEqualTo(10);
    assertThat(db.number("select (errors -> 0 ->> 'attempt')::int from dibs.task")).isEqualTo(3);
  }

  @Test
  void exchange_skipsRowsLockedByAnother() throws SQLException {
    insert(task(), task(), task());
    try (Connection theirs = db.connectReadCommitted()) {
      theirs.setAutoCommit(false);
      List<Task> locked = exchange.run(theirs, Exchange.Outcomes.NONE, claim(2)).claimed();
      List<Task> ours = run(Exchange.Outcomes.NONE, claim(5)).claimed();
      assertThat(locked).hasSize(2);
      assertThat(ours).hasSize(1);
      theirs.rollback();
    }
    assertThat(run(Exchange.Outcomes.NONE, claim(5)).claimed()).hasSize(2);
  }

  @Test
  void exchange_claimsNeitherUnknownKindsNorPausedQueuesNorBelowTheFloor() throws SQLException {
    insert(task());
    assertThat(run(Exchange.Outcomes.NONE, claim(5, 0, Set.of("other"))).claimed()).isEmpty();
    assertThat(run(Exchange.Outcomes.NONE, claim(5, 1_000, Set.of("mail"))).claimed()).isEmpty();
    db.execute("insert into dibs.queue (name, paused_at) values ('q', now())");
    assertThat(run(Exchange.Outcomes.NONE, claim(5)).claimed()).isEmpty();
    db.execute("update dibs.queue set paused_at = null");
    assertThat(run(Exchange.Outcomes.NONE, claim(5)).claimed()).hasSize(1);
  }

  @Test
  void exchange_keepsNoHistoryWhereRetentionIsZero() throws SQLException {
    insert(task());
    db.execute("insert into dibs.queue (name, retention) values ('q', '0')");
    Task task = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();
    run(ended(task, TaskStatus.DEAD), claim(0));
    assertThat(db.number("select count(*) from dibs.task_history")).isZero();
    assertThat(db.number("select count(*) from dibs.task")).isZero();
  }

  @Test
  void exchange_neverClaimsMoreThanTheRoom() throws SQLException {
    for (int i = 0; i < 40; i++) insert(task().priority(Priority.ofLevel(i % 4 + 1)));
    for (String off :
        List.of(
            "enable_indexscan",
            "enable_bitmapscan",
            "enable_nestloop",
            "enable_material",
            "enable_hashjoin",
            "enable_seqscan")) {
      try (var statement = connection.createStatement()) {
        statement.execute("set " + off + " = off");
      }
      assertThat(run(Exchange.Outcomes.NONE, claim(5)).claimed()).as(off).hasSize(5);
    }
  }

  @Test
  void insert_leavesATaskOfTheSameIdAsItIs() throws SQLException {
    NewTask<Json> task = task();
    insert(task);
    var row = new InsertTasks.Row(task.id(), "mail", "{}", null, task.options());
    assertThat(insert.insert(connection, List.of(row))).isEmpty();
    assertThat(db.value("select payload::text from dibs.task")).isEqualTo("{\"to\": 1}");
  }

  @Test
  void finish_succeedsOnceAndOnlyUnderTheLease() throws SQLException {
    var finish = new FinishTask(Schema.DEFAULT);
    insert(task());
    Task task = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();
    var stranger = new Task.Hold(task.id(), UUID.randomUUID());

    assertThat(finish.isHeld(connection, task.hold())).isTrue();
    assertThat(finish.isHeld(connection, stranger)).isFalse();
    assertThat(finish.finishIfHeld(connection, stranger)).isFalse();
    assertThat(finish.finishIfHeld(connection, task.hold())).isTrue();
    assertThat(finish.finishIfHeld(connection, task.hold())).isFalse();
    assertThat(db.finished("SUCCEEDED")).isEqualTo(1);
  }

  @Test
  void promote_makesDueTasksReadyAndTellsWhenTheNextIsDue() throws SQLException {
    var promote = new PromoteTasks(Schema.DEFAULT);
    insert(task().delay(Duration.ofMinutes(1)), task().delay(Duration.ofMinutes(10)));
    assertThat(db.tasks("SCHEDULED")).isEqualTo(2);
    db.execute(
        "update dibs.task set run_at = now() - interval '1 second' where run_at < now() + interval '2 minutes'");

    PromoteTasks.Promoted promoted = promote.promote(connection, 100);

    assertThat(promoted.tasks()).isEqualTo(1);
    assertThat(promoted.queues()).containsExactly("q");
    assertThat(promoted.nextDue().orElseThrow())
        .isBetween(Duration.ofMinutes(9), Duration.ofMinutes(10));
    assertThat(db.tasks("PENDING")).isEqualTo(1);
  }

  @Test
  void rescue_returnsTasksWithALossAndBuriesTheThird() throws SQLException {
    var rescue = new RescueTasks(Schema.DEFAULT);
    insert(task());
    for (int loss = 1; loss <= 2; loss++) {
      run(Exchange.Outcomes.NONE, claim(1));
      assertThat(rescue.rescue(connection, WORKER, "host", 3, 100))
          .isEqualTo(new RescueTasks.Rescued(1, 0, Set.of("q")));
      assertThat(db.number("select losses from dibs.task")).isEqualTo(loss);
      assertThat(db.number("select failures from dibs.task")).isZero();
    }
    run(Exchange.Outcomes.NONE, claim(1));
    assertThat(rescue.rescue(connection, WORKER, "host", 3, 100))
        .isEqualTo(new RescueTasks.Rescued(0, 1, Set.of()));
    assertThat(db.finished("DEAD")).isEqualTo(1);
    assertThat(db.value("select errors -> 2 ->> 'worker' from dibs.task_history"))
        .isEqualTo(WORKER.toString());
    assertThat(db.number("select losses from dibs.task_history")).isEqualTo(3);
  }

  @Test
  void rescue_findsTasksWhoseWorkerHasNoRow() throws SQLException {
    var rescue = new RescueTasks(Schema.DEFAULT);
    var workers = new WorkerRows(Schema.DEFAULT);
    var living = UUID.randomUUID();
    insert(task(), task());
    workers.register(connection, living, announcement(), Duration.ofSeconds(15));
    run(Exchange.Outcomes.NONE, claim(1));
    db.execute("update dibs.task set worker_id = ? where status = 'PROCESSING'", living);
    run(Exchange.Outcomes.NONE, claim(1));

    assertThat(rescue.rescueOrphans(connection, 3, 100).returned()).isEqualTo(1);
    assertThat(db.number("select count(*) from dibs.task where worker_id = ?", living))
        .isEqualTo(1);
  }

  private static WorkerRows.Announcement announcement() {
    return new WorkerRows.Announcement("host", 1, "test", Set.of("q"), Set.of("mail"), 4);
  }

  @Test
  void worker_isBuriedOnlyWhenSilentSinceItWasSeenAndItsLeaseRanOut() {
    var workers = new WorkerRows(Schema.DEFAULT);
    workers.register(connection, WORKER, announcement(), Duration.ofSeconds(15));
    WorkerRows.Sign alive =
        workers.beatIfLive(connection, UUID.randomUUID(), LEASE).signs().getFirst();
    assertThat(alive.expired()).isFalse();
    assertThat(workers.buryIfSilent(connection, alive)).isFalse();

    db.execute("update dibs.worker set lease_until = now() - interval '1 second'");
    assertThat(workers.beatIfLive(connection, WORKER, LEASE).accepted()).isTrue();
    db.execute("update dibs.worker set lease_until = now() - interval '1 second'");
    assertThat(workers.buryIfSilent(connection, alive)).as("it has beaten since").isFalse();

    WorkerRows.Sign silent =
        workers.beatIfLive(connection, UUID.randomUUID(), LEASE).signs().getFirst();
    assertThat(workers.buryIfSilent(connection, silent)).isTrue();
    assertThat(workers.beatIfLive(connection, WORKER, LEASE).accepted()).isFalse();
    assertThat(workers.removeIfIdle(connection, WORKER)).isTrue();
  }

  @Test
  void duties_areTakenByOneAtATime() throws SQLException {
    var duties = new Duties(Schema.DEFAULT);
    List<String> taken = new ArrayList<>();
    for (var duty = duties.takeDue(connection);
        duty.isPresent();
        duty = duties.takeDue(connection)) {
      taken.add(duty.get());
    }
    assertThat(taken)
        .containsExactlyInAnyOrder(
            "partitions", "prune", "orphans", "departed", "ticks", "windows", "audit");
    assertThat(duties.createPartitions(connection, 5)).isNotEmpty();
    assertThat(duties.createPartitions(connection, 5)).hasValue(0);
    assertThat(duties.prune(connection)).isZero();
  }

  @Test
  void counts_tellDepthsRatesAndWorkers() throws SQLException {
    var counts = new CountTasks(Schema.DEFAULT);
    insert(task(), task().delay(Duration.ofMinutes(1)), task());
    new WorkerRows(Schema.DEFAULT)
        .register(connection, WORKER, announcement(), Duration.ofSeconds(15));
    Task task = run(Exchange.Outcomes.NONE, claim(1)).claimed().getFirst();
    assertThat(counts.workers(connection).getFirst().state().running()).isEqualTo(1);
    run(ended(task, TaskStatus.SUCCEEDED), claim(0));

    assertThat(counts.depths(connection))
        .extracting(CountTasks.Depth::status)
        .containsExactly(TaskStatus.SCHEDULED, TaskStatus.PENDING);
    assertThat(counts.lastMinute(connection))
        .containsExactly(new CountTasks.Rate("q", TaskStatus.SUCCEEDED, 1));
  }
}
