package dev.dibs.sql;

import static dev.dibs.Landing.ALREADY_THERE;
import static dev.dibs.Landing.INSERTED;
import static dev.dibs.Landing.KEPT;
import static dev.dibs.Landing.POSTPONED;
import static dev.dibs.Landing.REJECTED;
import static dev.dibs.Landing.REPLACED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Landing;
import dev.dibs.NewTask;
import dev.dibs.OnConflict;
import dev.dibs.Priority;
import dev.dibs.Task;
import dev.dibs.TaskStatus;
import dev.dibs.Unique;
import dev.dibs.sql.InsertUniqueTasks.Landed;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class InsertUniqueTasksTest {
  private static final Kind<Json> KIND = Kind.json("k");
  private static final Unique KEY = Unique.by("key");

  private final InsertUniqueTasks insert = new InsertUniqueTasks(Schema.DEFAULT);
  private final EnqueueTasks function = new EnqueueTasks(Schema.DEFAULT);
  private final Exchange exchange = new Exchange(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connectReadCommitted();

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  private static NewTask<Json> task(Unique unique, int payload) {
    return KIND.task(new Json(String.valueOf(payload))).queue("q").unique(unique);
  }

  private static InsertTasks.Row row(NewTask<?> task) {
    return new InsertTasks.Row(
        task.id(), task.kind().name(), ((Json) task.payload()).text(), null, task.options());
  }

  private Landed insert(NewTask<Json> task) throws SQLException {
    return oneOn(connection, task);
  }

  private Landed oneOn(Connection connection, NewTask<Json> task) throws SQLException {
    return insertOn(connection, task).values().iterator().next();
  }

  private Map<UUID, Landed> insertOn(Connection connection, NewTask<?>... tasks)
      throws SQLException {
    return insert.insert(connection, Stream.of(tasks).map(InsertUniqueTasksTest::row).toList());
  }

  private Task claim() throws SQLException {
    return claimOn(connection);
  }

  private Task claimOn(Connection connection) throws SQLException {
    var lane = new Exchange.LaneRoom(new Task.Lane("q", Priority.NORMAL), 0, 1);
    var claim =
        new Exchange.Claim(
            UUID.randomUUID(), UUID.randomUUID(), List.of(lane), Map.of("q", 1), Set.of("k"));
    return exchange.run(connection, Exchange.Outcomes.NONE, claim).claimed().getFirst();
  }

  private Set<UUID> end(Connection connection, Task task) throws SQLException {
    var ended = new Exchange.Ended(task.hold(), TaskStatus.SUCCEEDED, null);
    return write(connection, new Exchange.Outcomes(List.of(ended), List.of()));
  }

  private Set<UUID> retry(Task task, Duration delay) throws SQLException {
    var again = new Exchange.Again(task.hold(), delay, true, "{}");
    return write(connection, new Exchange.Outcomes(List.of(), List.of(again)));
  }

  private Set<UUID> write(Connection connection, Exchange.Outcomes outcomes) throws SQLException {
    var nothing =
        new Exchange.Claim(UUID.randomUUID(), UUID.randomUUID(), List.of(), Map.of(), Set.of());
    return exchange.run(connection, outcomes, nothing).refused();
  }

  private String payload(UUID id) {
    return String.valueOf(db.value("select payload from dibs.task where id = ?", id));
  }

  private String status(UUID id) {
    return String.valueOf(db.value("select status from dibs.task where id = ?", id));
  }

  @ParameterizedTest
  @EnumSource(names = {"KEEP", "REJECT"})
  void aKeyThatIsHeld_keepsASecondTaskOutUntilTheFirstHasEnded(OnConflict policy)
      throws SQLException {
    Landing refusal = policy == OnConflict.KEEP ? KEPT : REJECTED;
    NewTask<Json> first = task(KEY, 1);
    assertThat(insert(first)).isEqualTo(new Landed(first.id(), INSERTED));
    var refused = new Landed(first.id(), refusal);
    assertThat(insert(task(KEY.onConflict(policy), 2))).isEqualTo(refused);

    Task run = claim();
    assertThat(insert(task(KEY.onConflict(policy), 3))).isEqualTo(refused);
    assertThat(retry(run, Duration.ofHours(1))).isEmpty();
    assertThat(insert(task(KEY.onConflict(policy), 4))).isEqualTo(refused);
    db.execute("update dibs.task set status = 'PENDING'");
    assertThat(end(connection, claim())).isEmpty();

    assertThat(insert(task(KEY.onConflict(policy), 5)).landing()).isEqualTo(INSERTED);
    assertThat(db.number("select count(*) from dibs.task")).isEqualTo(1);
  }

  @Test
  void theSameKeyInAnotherQueue_isAnotherKey() throws SQLException {
    assertThat(insert(task(KEY, 1)).landing()).isEqualTo(INSERTED);
    assertThat(insert(task(KEY, 1).queue("other")).landing()).isEqualTo(INSERTED);
  }

  @Test
  void theSameTaskAgain_isThereAlready() throws SQLException {
    NewTask<Json> task = task(KEY, 1);
    insert(task);
    for (OnConflict policy : OnConflict.values())
      assertThat(insert(task.unique(KEY.onConflict(policy))))
          .isEqualTo(new Landed(task.id(), ALREADY_THERE));
    claim();
    assertThat(insert(task.unique(KEY.onConflict(OnConflict.REPLACE))))
        .isEqualTo(new Landed(task.id(), ALREADY_THERE));
  }

  @Test
  void untilStarted_letsOneWaitWhileAnotherRuns() throws SQLException {
    Unique unique = KEY.untilStarted();
    NewTask<Json> first = task(unique, 1);
    insert(first);
    assertThat(insert(task(unique, 2))).isEqualTo(new Landed(first.id(), KEPT));
    Task run = claim();
    NewTask<Json> second = task(unique, 3);
    assertThat(insert(second)).isEqualTo(new Landed(second.id(), INSERTED));
    assertThat(insert(task(unique, 4))).isEqualTo(new Landed(second.id(), KEPT));
    assertThat(retry(run, Duration.ZERO)).isEmpty();
    assertThat(insert(task(unique, 5))).isEqualTo(new Landed(second.id(), KEPT));
    assertThat(db.number("select count(*) from dibs.task where status = 'PENDING'")).isEqualTo(2);
  }

  @Test
  void aWindow_outlivesItsTask() throws SQLException {
    Unique unique = KEY.forAtLeast(Duration.ofHours(1));
    NewTask<Json> first = task(unique, 1);
    assertThat(insertInTransaction(first)).isEqualTo(new Landed(first.id(), INSERTED));
    assertThat(insertInTransaction(task(unique, 2))).isEqualTo(new Landed(first.id(), KEPT));
    end(connection, claim());
    assertThat(insertInTransaction(task(unique, 3))).isEqualTo(new Landed(first.id(), KEPT));
    assertThat(insertInTransaction(task(unique.onConflict(OnConflict.REJECT), 4)))
        .isEqualTo(new Landed(first.id(), REJECTED));
    assertThat(insertInTransaction(first)).isEqualTo(new Landed(first.id(), ALREADY_THERE));
    assertThat(db.number("select count(*) from dibs.task")).isZero();

    db.execute("update dibs.unique_window set until = now() - interval '1 second'");
    NewTask<Json> next = task(unique, 5);
    assertThat(insertInTransaction(next)).isEqualTo(new Landed(next.id(), INSERTED));
    assertThat(
            db.number(
                "select count(*) from dibs.unique_window where task_id = ? and until > now()",
                next.id()))
        .isEqualTo(1);
  }

  @Test
  void aWindowThatIsOver_holdsWhileItsTaskIsUnfinished() throws SQLException {
    Unique unique = KEY.forAtLeast(Duration.ofHours(1));
    NewTask<Json> first = task(unique, 1);
    insertInTransaction(first);
    db.execute("update dibs.unique_window set until = now() - interval '1 second'");
    assertThat(insertInTransaction(task(unique, 2))).isEqualTo(new Landed(first.id(), KEPT));
    assertThat(new Duties(Schema.DEFAULT).forgetWindows(connection)).isEqualTo(1);
    assertThat(insertInTransaction(task(unique, 3))).isEqualTo(new Landed(first.id(), KEPT));
  }

  @Test
  void forgetWindows_leavesThoseThatAreOpen() throws SQLException {
    for (int i = 0; i < 3; i++)
      insertInTransaction(task(Unique.by("k" + i).forAtLeast(Duration.ofHours(1)), 1));
    db.execute("update dibs.unique_window set until = now() where unique_key <> 'k1'");
    assertThat(new Duties(Schema.DEFAULT).forgetWindows(connection)).isEqualTo(2);
    assertThat(db.value("select unique_key from dibs.unique_window")).isEqualTo("k1");
  }

  /** Somebody enqueues under a key whose window is over, and does not commit. */
  @Test
  void forgetWindows_waitsForNobody() throws SQLException {
    for (int i = 0; i < 3; i++)
      insertInTransaction(task(Unique.by("k" + i).forAtLeast(Duration.ofHours(1)), 1));
    db.execute("update dibs.unique_window set until = now()");
    db.execute("delete from dibs.task");
    try (Connection other = db.connectReadCommitted()) {
      other.setAutoCommit(false);
      other
          .createStatement()
          .execute("select from dibs.unique_window where unique_key = 'k1' for update");
      connection.createStatement().execute("set lock_timeout = '2 s'");
      assertThat(new Duties(Schema.DEFAULT).forgetWindows(connection)).isEqualTo(2);
      assertThat(db.value("select unique_key from dibs.unique_window")).isEqualTo("k1");
      other.rollback();
    }
    assertThat(new Duties(Schema.DEFAULT).forgetWindows(connection)).isEqualTo(1);
  }

  private Landed insertInTransaction(NewTask<Json> task) throws SQLException {
    connection.setAutoCommit(false);
    Landed landed = insert(task);
    connection.commit();
    connection.setAutoCommit(true);
    return landed;
  }

  @Test
  void replace_givesTheWaitingOnePayloadAndRunTime() throws SQLException {
    NewTask<Json> first = task(KEY, 1).delay(Duration.ofHours(1));
    insert(first);
    long before = position(first.id());
    var replaced = new Landed(first.id(), REPLACED);

    NewTask<Json> later = task(KEY.onConflict(OnConflict.REPLACE), 2).delay(Duration.ofHours(2));
    assertThat(insert(later)).isEqualTo(replaced);
    assertThat(payload(first.id())).isEqualTo("2");
    assertThat(
            db.number(
                "select count(*) from dibs.task where status = 'SCHEDULED' and run_at > now() + interval '119 minutes'"))
        .isEqualTo(1);
    assertThat(position(first.id())).isEqualTo(before);

    assertThat(insert(task(KEY.onConflict(OnConflict.REPLACE), 3))).isEqualTo(replaced);
    assertThat(status(first.id())).isEqualTo("PENDING");
    long ready = position(first.id());
    assertThat(ready).isGreaterThan(before);

    assertThat(insert(task(KEY.onConflict(OnConflict.REPLACE), 4))).isEqualTo(replaced);
    assertThat(payload(first.id())).isEqualTo("4");
    assertThat(position(first.id())).as("keeps its place").isEqualTo(ready);

    assertThat(insert(later)).isEqualTo(replaced);
    assertThat(status(first.id())).isEqualTo("SCHEDULED");
    assertThat(db.number("select count(*) from dibs.task")).isEqualTo(1);
  }

  @Test
  void replacePayload_leavesTheRunTimeAndPostponeThePayload() throws SQLException {
    NewTask<Json> first = task(KEY, 1).delay(Duration.ofHours(1));
    insert(first);
    assertThat(insert(task(KEY.onConflict(OnConflict.REPLACE_PAYLOAD), 2)))
        .isEqualTo(new Landed(first.id(), REPLACED));
    assertThat(payload(first.id())).isEqualTo("2");
    assertThat(status(first.id())).isEqualTo("SCHEDULED");
    NewTask<Json> push = task(KEY.onConflict(OnConflict.POSTPONE), 3).delay(Duration.ofHours(5));
    assertThat(insert(push)).isEqualTo(new Landed(first.id(), POSTPONED));
    assertThat(payload(first.id())).isEqualTo("2");
    assertThat(
            db.number(
                "select count(*) from dibs.task where run_at > now() + interval '299 minutes'"))
        .isEqualTo(1);
  }

  @Test
  void replace_takesTheKindToo() throws SQLException {
    NewTask<Json> first = task(KEY, 1);
    insert(first);
    NewTask<Json> other =
        Kind.json("other")
            .task(new Json("2"))
            .queue("q")
            .unique(KEY.onConflict(OnConflict.REPLACE));
    assertThat(insert(other)).isEqualTo(new Landed(first.id(), REPLACED));
    assertThat(db.value("select kind from dibs.task")).isEqualTo("other");
  }

  @ParameterizedTest
  @EnumSource(names = {"REPLACE", "REPLACE_PAYLOAD", "POSTPONE"})
  void whatWouldReplaceATaskThatWasClaimed_goesInBesideIt(OnConflict policy) throws SQLException {
    NewTask<Json> first = task(KEY, 1);
    insert(first);
    Task run = claim();
    NewTask<Json> second = task(KEY.onConflict(policy), 2);
    assertThat(insert(second)).isEqualTo(new Landed(second.id(), INSERTED));
    assertThat(insert(task(KEY.onConflict(OnConflict.REPLACE), 3)))
        .isEqualTo(new Landed(second.id(), REPLACED));
    assertThat(insert(task(KEY, 4))).isEqualTo(new Landed(second.id(), KEPT));
    assertThat(retry(run, Duration.ofHours(1))).isEmpty();
    assertThat(insert(task(KEY.onConflict(OnConflict.REPLACE), 5)))
        .isEqualTo(new Landed(second.id(), REPLACED));
    assertThat(payload(first.id())).isEqualTo("1");
    assertThat(payload(second.id())).isEqualTo("5");
    assertThat(end(connection, claim())).isEmpty();
    NewTask<Json> third = task(KEY.onConflict(policy), 6);
    assertThat(insert(third)).isEqualTo(new Landed(third.id(), INSERTED));
    assertThat(payload(first.id())).isEqualTo("1");
  }

  /** The caller's transaction stays open, and the run ends all the same. */
  @Test
  void aTaskBesideOneThatRuns_doesNotHoldThatUp() throws SQLException {
    insert(task(KEY, 1));
    Task run = claim();
    try (Connection caller = db.connectReadCommitted()) {
      caller.setAutoCommit(false);
      NewTask<Json> second = task(KEY.onConflict(OnConflict.REPLACE), 2);
      assertThat(oneOn(caller, second).landing()).isEqualTo(INSERTED);
      assertThat(end(connection, run)).isEmpty();
      caller.commit();
      assertThat(payload(second.id())).isEqualTo("2");
    }
  }

  @Test
  void aBatch_landsEachTaskForItself() throws SQLException {
    NewTask<Json> there = task(Unique.by("a"), 1);
    insert(there);
    NewTask<Json> kept = task(Unique.by("a"), 2);
    NewTask<Json> fresh = task(Unique.by("b"), 3);
    NewTask<Json> twice = task(Unique.by("b"), 4);
    NewTask<Json> replacing = task(Unique.by("b").onConflict(OnConflict.REPLACE), 5);
    NewTask<Json> last = task(Unique.by("b").onConflict(OnConflict.REPLACE), 6);
    NewTask<Json> rejected = task(Unique.by("a").onConflict(OnConflict.REJECT), 7);
    connection.setAutoCommit(false);
    assertThat(insertOn(connection, rejected, replacing, kept, fresh, twice, last))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                rejected.id(), new Landed(there.id(), REJECTED),
                kept.id(), new Landed(there.id(), KEPT),
                replacing.id(), new Landed(replacing.id(), INSERTED),
                fresh.id(), new Landed(replacing.id(), KEPT),
                twice.id(), new Landed(replacing.id(), KEPT),
                last.id(), new Landed(replacing.id(), REPLACED)));
    connection.commit();
    assertThat(payload(replacing.id())).isEqualTo("6");
  }

  @Test
  void aTaskTwiceInABatch_isInsertedOnce() throws SQLException {
    NewTask<Json> task = task(KEY, 1);
    connection.setAutoCommit(false);
    assertThat(insertOn(connection, task, task)).containsValue(new Landed(task.id(), INSERTED));
    connection.commit();
    assertThat(db.number("select count(*) from dibs.task")).isEqualTo(1);
  }

  private CompletableFuture<Landed> inBackground(NewTask<Json> task) {
    var blocked =
        CompletableFuture.supplyAsync(() -> {
          try (Connection other = db.connectReadCommitted()) {
            return oneOn(other, task);
          } catch (SQLException e) {
            throw new CompletionException(e);
          }
        });
    await()
        .until(() ->
            blocked.isDone()
                || db.number(
                        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                    == 1);
    assertThat(blocked).isNotDone();
    return blocked;
  }

  @Test
  void aKeyThatSomebodyTakes_isWaitedFor() throws SQLException {
    NewTask<Json> first = task(KEY, 1);
    connection.setAutoCommit(false);
    insert(first);
    var second = inBackground(task(KEY, 2));
    connection.commit();
    assertThat(second.join()).isEqualTo(new Landed(first.id(), KEPT));

    db.execute("delete from dibs.task");
    insert(task(KEY, 3));
    NewTask<Json> fourth = task(KEY, 4);
    var waiting = inBackground(fourth);
    connection.rollback();
    assertThat(waiting.join()).isEqualTo(new Landed(fourth.id(), INSERTED));
  }

  @Test
  void aKeyThatIsLetGoMeanwhile_isTaken() throws SQLException {
    insert(task(KEY, 1));
    Task run = claim();
    connection.setAutoCommit(false);
    end(connection, run);
    NewTask<Json> second = task(KEY, 2);
    var waiting = inBackground(second);
    connection.commit();
    assertThat(waiting.join()).isEqualTo(new Landed(second.id(), INSERTED));
  }

  @Test
  void aTaskThatIsClaimedWhileItIsReplaced_keepsItsPayload() throws SQLException {
    NewTask<Json> first = task(KEY, 1);
    insert(first);
    connection.setAutoCommit(false);
    claim();
    NewTask<Json> second = task(KEY.onConflict(OnConflict.REPLACE), 2);
    var waiting = inBackground(second);
    connection.commit();
    assertThat(waiting.join()).isEqualTo(new Landed(second.id(), INSERTED));
    assertThat(payload(first.id())).isEqualTo("1");
    assertThat(payload(second.id())).isEqualTo("2");
  }

  @Test
  void aReplacementThatIsNotCommitted_isNotClaimed() throws SQLException {
    NewTask<Json> first = task(KEY, 1);
    insert(first);
    connection.setAutoCommit(false);
    insert(task(KEY.onConflict(OnConflict.REPLACE), 2));
    try (Connection worker = db.connectReadCommitted()) {
      var lane = new Exchange.LaneRoom(new Task.Lane("q", Priority.NORMAL), 0, 1);
      var claim =
          new Exchange.Claim(
              UUID.randomUUID(), UUID.randomUUID(), List.of(lane), Map.of("q", 1), Set.of("k"));
      assertThat(exchange.run(worker, Exchange.Outcomes.NONE, claim).claimed()).isEmpty();
      connection.commit();
      assertThat(claimOn(worker).content().payload()).isEqualTo("2");
    }
  }

  @Test
  void aStrictTransaction_isToldThatItWasOvertaken() throws SQLException {
    try (Connection strict = db.connect()) {
      strict.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      strict.setAutoCommit(false);
      try (var statement = strict.createStatement()) {
        statement.execute("select from dibs.task");
      }
      insert(task(KEY, 1));
      for (var policy : List.of(OnConflict.KEEP, OnConflict.REPLACE)) {
        assertThatThrownBy(() -> insertOn(strict, task(KEY.onConflict(policy), 2)))
            .isInstanceOfSatisfying(
                SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("40001"));
        strict.rollback();
        try (var statement = strict.createStatement()) {
          statement.execute("select from dibs.task");
        }
        db.execute("delete from dibs.task");
        insert(task(KEY, 1));
      }
    }
  }

  /** Batches that bring the same keys in different orders, replaced, kept and claimed meanwhile. */
  @Test
  void batchesThatCross_neitherDeadlockNorDouble() throws Exception {
    int threads = 6;
    int turns = 25;
    var policies = OnConflict.values();
    var busy = new AtomicInteger(threads);
    List<Callable<Integer>> work = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      int seed = t;
      work.add(() -> {
        int inserted = 0;
        try (Connection own = db.connectReadCommitted()) {
          own.setAutoCommit(false);
          for (int turn = 0; turn < turns; turn++) {
            List<InsertTasks.Row> rows = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
              int key = seed % 2 == 0 ? i : 19 - i;
              Unique unique =
                  Unique.by((key % 2 == 0 ? "key" : "KEY") + key) // which collations sort apart
                      .onConflict(policies[(turn + seed + i / 7) % policies.length]);
              rows.add(row(task(seed % 3 == 0 ? unique.untilStarted() : unique, turn)));
            }
            var landings =
                seed < threads / 2 ? insert.insert(own, rows) : function.enqueue(own, rows);
            for (Landed landed : landings.values()) if (landed.landing().isInserted()) inserted++;
            own.commit();
          }
        } finally {
          busy.decrementAndGet();
        }
        return inserted;
      });
    }
    work.add(() -> {
      int ended = 0;
      while (busy.get() > 0) {
        List<Task> claimed = claimSome();
        for (Task task : claimed) assertThat(end(connection, task)).isEmpty();
        ended += claimed.size();
      }
      return -ended;
    });
    int left = 0;
    try (var executor = Executors.newFixedThreadPool(threads + 1)) {
      for (Future<Integer> done : executor.invokeAll(work)) left += done.get();
    }
    assertThat(db.number("select count(*) from dibs.task")).isEqualTo(left);
    assertThat(
            db.number(
                "select count(*) from (select from dibs.task where attempt = 0 group by unique_key having count(*) > 1) x"))
        .isZero();
    assertThat(
            db.number("select deadlocks from pg_stat_database where datname = current_database()"))
        .isZero();
  }

  private List<Task> claimSome() throws SQLException {
    var lane = new Exchange.LaneRoom(new Task.Lane("q", Priority.NORMAL), 0, 5);
    var claim =
        new Exchange.Claim(
            UUID.randomUUID(), UUID.randomUUID(), List.of(lane), Map.of("q", 5), Set.of("k"));
    return exchange.run(connection, Exchange.Outcomes.NONE, claim).claimed();
  }

  private long position(UUID id) {
    return db.number("select position from dibs.task where id = ?", id);
  }
}
