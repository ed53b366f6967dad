package dev.dibs.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.BulkChange;
import dev.dibs.BulkOrder;
import dev.dibs.BulkPreview;
import dev.dibs.BulkPreview.Exactness;
import dev.dibs.BulkRow;
import dev.dibs.Priority;
import dev.dibs.Request;
import dev.dibs.TaskFilter;
import dev.dibs.TaskStatus;
import dev.dibs.sql.BulkRows;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import dev.dibs.testing.TestRoles;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

@Timeout(120)
class BulksTest {
  private static final BulkChange RETRY = new BulkChange.Retry(Duration.ZERO);
  private static final int FAST = 1_000_000;

  private final TestDatabase db = TestDatabase.create();
  private final Bulks bulks = Bulks.on(db.dataSource());

  @AfterEach
  void drop() {
    db.close();
  }

  private static Request request() {
    return Request.of("ana", "test", "SMTP is mended, INC-204");
  }

  /** Dead tasks of queue q, one a millisecond. */
  private void bury(int tasks) {
    db.execute(
        """
        insert into dibs.task_history (id, created_at, run_at, finished_at, status, priority, attempt, failures, losses,
          max_attempts, queue, kind, payload, errors)
        select gen_random_uuid(), now(), now(), now() - n * interval '1 ms', 'DEAD', 3, 7, 7, 3, 7, 'q',
          case when n % 10 = 0 then 'rare' else 'mail' end, '{"n": 1}',
          '[{"class": "SmtpException", "message": "451 greylisted"}]'
        from generate_series(1, ?) n\
        """,
        tasks);
  }

  private void enqueue(int tasks) {
    db.execute(
        "insert into dibs.task (id, queue, kind) select gen_random_uuid(), 'q', 'mail' from generate_series(1, ?)",
        tasks);
  }

  private static TaskFilter in(String queue, TaskStatus status) {
    return TaskFilter.of(status).queue(queue);
  }

  private static BulkOrder retryDead() {
    return BulkOrder.of(in("q", TaskStatus.DEAD), RETRY).perSecond(FAST);
  }

  private BulkDrive start(BulkOrder order) {
    return begin(bulks.preview(order));
  }

  private BulkDrive begin(BulkPreview preview) {
    return bulks.start(preview, request()).drive().orElseThrow();
  }

  private BulkRow run(BulkOrder order) throws InterruptedException {
    return start(order).run(row -> {});
  }

  private static void assertCounts(BulkRow row, long done, long skipped, long failed) {
    assertThat(row.status()).isEqualTo(BulkRow.Status.DONE);
    var progress = row.progress();
    assertThat(progress.done()).as(row.toString()).isEqualTo(done);
    assertThat(progress.skipped()).as(row.toString()).isEqualTo(skipped);
    assertThat(progress.failed()).as(row.toString()).isEqualTo(failed);
    assertThat(progress.seen()).isEqualTo(done + skipped + failed);
  }

  /** Every task once in the batches, and once alive. */
  private void assertEachOnce(long tasks) {
    assertThat(
            db.number("select count(*) from (select unnest(changed) as id from dibs.bulk_batch) b"))
        .isEqualTo(tasks);
    assertThat(
            db.number(
                "select count(distinct id) from (select unnest(changed) as id from dibs.bulk_batch) b join dibs.task using (id)"))
        .isEqualTo(tasks);
  }

  @Test
  void aPreview_countsAndShowsSome_andChangesNothing() {
    bury(300);
    BulkPreview preview = bulks.preview(retryDead());
    assertThat(preview.count()).isEqualTo(new BulkPreview.Count(300, Exactness.EXACT));
    assertThat(preview.sample()).hasSize(20).allMatch(row -> row.status() == TaskStatus.DEAD);
    var rare = BulkOrder.of(in("q", TaskStatus.DEAD).kind("rare").error("GREYlisted"), RETRY);
    assertThat(bulks.preview(rare).count().text()).isEqualTo("30");
    assertThat(bulks.preview(BulkOrder.of(in("other", TaskStatus.DEAD), RETRY)).count().text())
        .isEqualTo("0");
    var everywhere = BulkOrder.of(TaskFilter.of(TaskStatus.DEAD).kind("rare"), RETRY);
    assertThat(bulks.preview(everywhere).count().tasks()).isEqualTo(30);
    bury(9_800);
    assertThat(bulks.preview(retryDead()).count().text()).isEqualTo("10,000+");
    assertThat(db.finished("DEAD")).isEqualTo(10_100);
    assertThat(bulks.list(Optional.empty(), 10)).isEmpty();
  }

  /** A queue after the other, and the look grows each time. */
  @Test
  void aBulk_overManyQueuesIsCountedAndRun() throws InterruptedException {
    bury(400);
    db.execute(
        "update dibs.task_history set queue = 'q' || (extract(epoch from finished_at) * 1000)::bigint % 40");
    var order = BulkOrder.of(TaskFilter.of(TaskStatus.DEAD).kind("rare"), RETRY).perSecond(FAST);
    assertThat(bulks.preview(order).count()).isEqualTo(new BulkPreview.Count(40, Exactness.EXACT));
    assertCounts(run(order), 40, 0, 0);
  }

  /** The database refuses even to count a task as refused. */
  @Test
  void aBulkThatIsRefusedAltogether_ends() throws InterruptedException {
    enqueue(5);
    var cancel = BulkOrder.of(in("q", TaskStatus.PENDING), new BulkChange.Cancel()).perSecond(FAST);
    BulkDrive drive = start(cancel);
    db.execute(
        """
        create function public.refuse() returns trigger language plpgsql as $$
        begin raise exception using errcode = '22003', message = 'out of range'; end $$;
        create trigger refuse before update on dibs.bulk for each row when (new.status <> 'FAILED')
        execute function public.refuse()\
        """);
    BulkRow row = drive.run(each -> {});
    assertThat(row.status()).isEqualTo(BulkRow.Status.FAILED);
    assertThat(row.error().orElseThrow()).contains("out of range");
    assertThat(db.tasks("PENDING")).isEqualTo(5);
  }

  @Test
  void dead_areRetriedWithTheirHistory() throws InterruptedException {
    bury(1_200);
    BulkRow row = run(retryDead());
    assertCounts(row, 1_200, 0, 0);
    assertThat(row.progress().expected()).isEqualTo(OptionalLong.of(1_200));
    assertThat(db.tasks("PENDING")).isEqualTo(1_200);
    assertThat(db.finished("DEAD")).isZero();
    assertThat(
            db.value(
                "select distinct concat_ws('|', attempt, failures, losses, payload, errors -> 0 ->> 'message') from dibs.task"))
        .isEqualTo("7|0|2|{\"n\": 1}|451 greylisted");
    assertThat(db.value("select action || ' ' || actor || ' ' || result from dibs.audit"))
        .isEqualTo("bulk.start ana done");
    assertEachOnce(1_200);
  }

  @Test
  void aRetry_canBeSpreadOverATime() throws InterruptedException {
    bury(400);
    run(
        BulkOrder.of(in("q", TaskStatus.DEAD), new BulkChange.Retry(Duration.ofHours(4)))
            .perSecond(FAST));
    assertThat(db.tasks("SCHEDULED")).isGreaterThan(390);
    assertThat(
            db.number(
                "select count(*) from dibs.task where run_at between now() + interval '1 h' and now() + interval '2 h'"))
        .isBetween(50L, 150L);
    assertThat(db.number("select count(*) from dibs.task where run_at > now() + interval '4 h'"))
        .isZero();
  }

  /**
   * The server ends the driver's session again and again, now and then in the middle of a batch.
   */
  @Test
  void aDriverWhoseConnectionIsCut_changesEachTaskOnce() throws Exception {
    bury(4_000);
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(db.url());
    source.setApplicationName("driver");
    var theirs = Bulks.on(source);
    var drive = theirs.start(theirs.preview(retryDead()), request()).drive().orElseThrow();
    var batches = new AtomicInteger();
    long cuts = 0;
    var running =
        CompletableFuture.supplyAsync(() -> {
          try {
            return drive.run(row -> batches.incrementAndGet());
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    while (!running.isDone()) {
      int before = batches.get();
      int wanted = ThreadLocalRandom.current().nextInt(1, 3);
      await().until(() -> running.isDone() || batches.get() >= before + wanted);
      cuts += cut("driver");
    }
    assertCounts(running.join(), 4_000, 0, 0);
    assertThat(cuts).isPositive();
    assertEachOnce(4_000);
  }

  @Test
  void aConnectionCutAfterTheLastBatch_endsTheBulkAllTheSame() throws InterruptedException {
    bury(10);
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(db.url());
    source.setApplicationName("driver");
    var theirs = Bulks.on(source);
    var drive = theirs.start(theirs.preview(retryDead()), request()).drive().orElseThrow();
    BulkRow ended =
        drive.run(row -> {
          if (row.status() == BulkRow.Status.DONE) assertThat(cut("driver")).isPositive();
        });
    assertCounts(ended, 10, 0, 0);
  }

  @Test
  void anInterruptedBulk_isResumedWhereItEnded() throws InterruptedException {
    bury(3_000);
    var order = retryDead();
    BulkDrive drive = start(order);
    BulkRow stopped =
        drive.run(row -> {
          if (row.status() == BulkRow.Status.RUNNING && row.progress().done() > 500)
            assertThat(bulks.interrupt(row.id(), request()).done()).isTrue();
        });
    assertThat(stopped.status()).isEqualTo(BulkRow.Status.STOPPED);
    assertThat(stopped.progress().done()).isBetween(501L, 2_999L);
    assertThat(bulks.interrupt(drive.id(), request()).message()).endsWith("is STOPPED");
    assertThat(bulks.adopt(drive.id(), request()).message()).endsWith("somebody has to resume it");
    var again = Bulks.on(db.dataSource()).resume(drive.id(), request()).drive().orElseThrow();
    assertCounts(again.run(row -> {}), 3_000, 0, 0);
    assertEachOnce(3_000);
    assertThat(bulks.resume(drive.id(), request()).message()).endsWith("is DONE");
  }

  private BulkRows.Step step(Connection connection, UUID bulk, UUID driver, int most)
      throws SQLException {
    return new BulkRows(Schema.DEFAULT)
        .step(connection, bulk, driver, most, Optional.empty(), Duration.ofSeconds(20));
  }

  private long cut(String application) {
    return db.number(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = ? and datname = current_database()",
        application);
  }

  private UUID driver(UUID bulk) {
    return UUID.fromString(
        String.valueOf(db.value("select driver from dibs.bulk where id = ?", bulk)));
  }

  /**
   * The process of a bulk stands still in the middle of a batch, loses its lease, and comes back.
   */
  @Test
  void ofTwoDrivers_theOneThatLostItsLeaseChangesNothing() throws Exception {
    bury(2_000);
    UUID bulk = start(retryDead()).id();
    UUID first = driver(bulk);
    try (Connection theirs = db.connectReadCommitted()) {
      assertThat(step(theirs, bulk, first, 300).changed()).isEqualTo(300);
      theirs.setAutoCommit(false);
      assertThat(step(theirs, bulk, first, 300).changed()).isEqualTo(300); // and never commits
      assertThatThrownBy(() -> bulks.resume(bulk, request())).hasMessageContaining("lock timeout");
      theirs.rollback();
      theirs.setAutoCommit(true);
      assertThat(bulks.resume(bulk, request()).message()).endsWith("is being driven");
      db.execute("update dibs.bulk set lease_until = now() - interval '1 s'");
      assertThat(bulks.find(bulk).orElseThrow().state().driven()).isFalse();
      BulkDrive second = bulks.adopt(bulk, request()).drive().orElseThrow();
      assertThat(step(theirs, bulk, first, 300).status()).isEqualTo("LOST");
      assertCounts(second.run(row -> {}), 2_000, 0, 0);
      assertThat(step(theirs, bulk, first, 300).status()).isEqualTo("DONE");
    }
    assertEachOnce(2_000);
  }

  @Test
  void whatStoodStillForLong_isResumedByPeopleOnly() {
    bury(10);
    UUID bulk = start(retryDead()).id();
    db.execute(
        "update dibs.bulk set lease_until = now() - interval '10 min', stepped_at = now() - interval '11 min'");
    assertThat(bulks.adopt(bulk, request()).message())
        .endsWith("for more than 10 minutes; somebody has to resume it");
    assertThat(bulks.resume(bulk, request()).drive()).isPresent();
  }

  @Test
  void oneBulkRuns_inAQueue() throws InterruptedException {
    bury(10);
    enqueue(10);
    BulkPreview preview = bulks.preview(retryDead());
    Request request = request();
    BulkDrive drive = bulks.start(preview, request).drive().orElseThrow();
    assertThat(bulks.start(preview, request).message()).startsWith("asked before");
    var cancel = BulkOrder.of(in("q", TaskStatus.PENDING), new BulkChange.Cancel());
    assertThat(bulks.start(bulks.preview(cancel), request()).message())
        .startsWith("bulk " + drive.id() + " of ana works there");
    var anyQueue =
        BulkOrder.of(TaskFilter.of(TaskStatus.SCHEDULED).kind("k"), new BulkChange.Cancel());
    assertThat(bulks.start(bulks.preview(anyQueue), request()).drive()).isEmpty();
    var elsewhere = BulkOrder.of(in("other", TaskStatus.DEAD), RETRY);
    assertThat(bulks.start(bulks.preview(elsewhere), request()).drive()).isPresent();
    assertCounts(drive.run(row -> {}), 10, 0, 0);
    assertCounts(run(cancel), 20, 0, 0);
  }

  @Test
  void tasksThatCameOrChangedAfterThePreview_areLeftAlone() throws Exception {
    enqueue(100);
    bury(100);
    var cancel = BulkOrder.of(in("q", TaskStatus.PENDING), new BulkChange.Cancel()).perSecond(FAST);
    BulkPreview preview = bulks.preview(cancel);
    BulkPreview dead = bulks.preview(retryDead());
    enqueue(5);
    bury(5);
    // Claimed and given back: PENDING as before, and not what was seen.
    db.execute(
        "update dibs.task set attempt = 1 where id in (select id from dibs.task order by position limit 3)");
    try (Connection theirs = db.connectReadCommitted()) {
      theirs.setAutoCommit(false);
      theirs
          .createStatement()
          .execute(
              "update dibs.task set status = 'PROCESSING', lease = gen_random_uuid(), worker_id = gen_random_uuid() where id in"
                  + " (select id from dibs.task where attempt = 0 order by position limit 2)");
      BulkRow row = begin(preview).run(each -> {});
      theirs.commit();
      assertCounts(row, 95, 2, 0);
      assertThat(row.skips()).hasSize(2).allMatch(skip -> skip.why().startsWith("somebody else"));
    }
    assertThat(db.tasks("PENDING")).isEqualTo(8);
    assertThat(db.tasks("PROCESSING")).isEqualTo(2);
    assertCounts(begin(dead).run(each -> {}), 100, 0, 0);
    assertThat(db.finished("DEAD")).isEqualTo(5);
  }

  @Test
  void aTaskWhoseKeyIsTaken_isSkippedAndTheOthersAreNot() throws InterruptedException {
    bury(50);
    db.execute(
        "update dibs.task_history set unique_key = 'order-7', unique_hold = true where kind = 'rare'");
    BulkRow row = run(retryDead());
    assertCounts(row, 46, 4, 0);
    assertThat(row.skips()).allMatch(skip -> skip.why().endsWith("has its unique key"));
    var again = run(retryDead());
    assertCounts(again, 0, 4, 0);
    db.execute(
        "insert into dibs.task (id, queue, kind, unique_key, unique_hold) values (gen_random_uuid(), 'other', 'k', 'order-7', true)");
    var move =
        BulkOrder.of(in("q", TaskStatus.PENDING), new BulkChange.Move("other")).perSecond(FAST);
    BulkRow moved = run(move);
    assertCounts(moved, 45, 1, 0);
    assertThat(moved.skips().getFirst().why()).endsWith("has its unique key there");
    assertThat(db.number("select count(*) from dibs.task where queue = 'other'")).isEqualTo(46);
  }

  @Test
  void aTaskThatTheDatabaseRefuses_isCountedAndPassedOver() throws InterruptedException {
    bury(120);
    db.execute(
        "update dibs.task_history set priority = 9 where id = (select id from dibs.task_history order by finished_at offset 50 limit 1)");
    BulkRow row = run(retryDead());
    assertCounts(row, 119, 0, 1);
    assertThat(row.skips().getFirst().why()).contains("task_priority_known");
    assertThat(db.finished("DEAD")).isEqualTo(1);
  }

  @Test
  void whatTheDatabaseRefuses_isKeptWithoutTheRow() throws InterruptedException {
    bury(101);
    db.execute("update dibs.task_history set payload = '{\"card\": \"4111 1111\"}'");
    db.execute("alter table dibs.task add constraint closed_today check (queue <> 'q')");
    BulkRow row = run(retryDead());
    assertThat(row.status()).isEqualTo(BulkRow.Status.FAILED);
    assertThat(row.error().orElseThrow()).contains("closed_today", "SQLSTATE 23514");
    assertThat(row.skips()).allMatch(skip -> skip.why().endsWith("(SQLSTATE 23514)"));
    assertThat(
            db.value("select string_agg(skips::text || coalesce(error, ''), ' ') from dibs.bulk"))
        .asString()
        .contains("closed_today")
        .doesNotContain("4111 1111");
  }

  @Test
  void aCountThatTakesTooLong_doesNotKeepFromBeginning() throws Exception {
    bury(40);
    BulkPreview preview;
    try (Connection theirs = db.connect()) {
      theirs.setAutoCommit(false);
      theirs.createStatement().execute("lock table dibs.task_history in access exclusive mode");
      preview = bulks.preview(retryDead());
      theirs.rollback();
    }
    assertThat(preview.count().text()).isEqualTo("not counted within 2 s");
    BulkRow row = begin(preview).run(each -> {});
    assertCounts(row, 40, 0, 0);
    assertThat(row.progress().expected()).isEmpty();
  }

  @Test
  void whatABulkChanged_isAFilterForTheNext() throws InterruptedException {
    bury(700);
    UUID first = run(retryDead()).id();
    enqueue(30);
    var undo =
        BulkOrder.after(first, TaskFilter.of(TaskStatus.PENDING), new BulkChange.Cancel())
            .perSecond(FAST);
    assertThat(bulks.preview(undo).count().tasks()).isEqualTo(700);
    assertCounts(run(undo), 700, 0, 0);
    assertThat(db.tasks("PENDING")).isEqualTo(30);
    assertThat(db.finished("CANCELLED")).isEqualTo(700);
    assertThat(
            db.number(
                "select count(*) from dibs.task_history where errors -> -1 ->> 'message' = 'SMTP is mended, INC-204'"))
        .isEqualTo(700);
  }

  @Test
  void waitingTasks_areMovedPrioritisedRescheduledAndDeleted() throws InterruptedException {
    enqueue(30);
    long last = db.number("select max(position) from dibs.task");
    var urgent = new BulkChange.Prioritise(Priority.URGENT);
    assertCounts(run(BulkOrder.of(in("q", TaskStatus.PENDING), urgent)), 30, 0, 0);
    assertThat(
            db.number(
                "select count(*) from dibs.task where priority = 1 and run_at = created_at and position > "
                    + last))
        .isEqualTo(30);
    BulkRow same = run(BulkOrder.of(in("q", TaskStatus.PENDING), urgent));
    assertCounts(same, 0, 30, 0);
    assertThat(same.skips()).hasSize(20).allMatch(skip -> skip.why().equals("it is so already"));
    var later = new BulkChange.Reschedule(Instant.now().plus(Duration.ofHours(1)));
    assertCounts(run(BulkOrder.of(in("q", TaskStatus.PENDING), later)), 30, 0, 0);
    assertThat(db.tasks("SCHEDULED")).isEqualTo(30);
    // Walks along the run times that it changes itself, and meets none again.
    var evenLater = new BulkChange.Reschedule(Instant.now().plus(Duration.ofHours(9)));
    assertCounts(
        run(BulkOrder.of(TaskFilter.of(TaskStatus.SCHEDULED).kind("mail"), evenLater).perSecond(7)),
        30,
        0,
        0);
    var move = new BulkChange.Move("other");
    assertCounts(run(BulkOrder.of(in("q", TaskStatus.SCHEDULED), move)), 30, 0, 0);
    assertCounts(
        run(BulkOrder.of(in("other", TaskStatus.SCHEDULED), new BulkChange.Delete())), 30, 0, 0);
    assertThat(db.number("select count(*) from dibs.task")).isZero();
    assertThat(db.number("select count(*) from dibs.task_history")).isZero();
    bury(40);
    assertCounts(run(BulkOrder.of(in("q", TaskStatus.DEAD), new BulkChange.Delete())), 40, 0, 0);
    assertThat(db.number("select count(*) from dibs.task_history")).isZero();
  }

  @Test
  void runningTasks_areCancelledAndTheirRunsTold() throws Exception {
    enqueue(3);
    db.execute(
        "update dibs.task set status = 'PROCESSING', attempt = 1, lease = gen_random_uuid(), worker_id = gen_random_uuid()");
    try (Connection listening = db.connect()) {
      listening.createStatement().execute("listen dibs");
      assertCounts(
          run(BulkOrder.of(in("q", TaskStatus.PROCESSING), new BulkChange.Cancel())), 3, 0, 0);
      assertThat(listening.unwrap(org.postgresql.PGConnection.class).getNotifications(5_000))
          .hasSize(3)
          .allMatch(heard -> heard.getParameter().contains("cancelled"));
    }
    assertThat(db.finished("CANCELLED")).isEqualTo(3);
  }

  @Test
  void anOperator_needsNoRightToTheTables_andAViewerMayDoNothing() throws Exception {
    try (var roles = new TestRoles()) {
      roles
          .db()
          .execute(
              "insert into %s.task (id, queue, kind) select gen_random_uuid(), 'q', 'k' from generate_series(1, 9)"
                  .formatted(roles.schema().name()));
      var order = BulkOrder.of(in("q", TaskStatus.PENDING), new BulkChange.Cancel());
      var operator = Bulks.on(roles.user("operator"), roles.schema());
      var drive = operator.start(operator.preview(order), request()).drive().orElseThrow();
      assertThat(drive.run(row -> {}).progress().done()).isEqualTo(9);
      var viewer = Bulks.on(roles.user("viewer"), roles.schema());
      assertThat(viewer.list(Optional.empty(), 9)).hasSize(1);
      assertThatThrownBy(() -> viewer.preview(order)).hasMessageContaining("permission denied");
      assertThatThrownBy(() -> viewer.interrupt(drive.id(), request()))
          .hasMessageContaining("permission denied");
    }
  }

  @Test
  void whatMakesNoSense_isRefused() {
    assertThatThrownBy(() -> BulkOrder.of(TaskFilter.of(TaskStatus.DEAD), RETRY))
        .hasMessageContaining("a bulk needs a queue, a kind or ids beside the status");
    assertThatThrownBy(() -> BulkOrder.of(in("q", TaskStatus.SUCCEEDED), RETRY))
        .hasMessageContaining("retry cannot be done to tasks that are SUCCEEDED");
    var preview = bulks.preview(retryDead());
    assertThatThrownBy(() -> bulks.start(preview, Request.of("ana", "test", "because")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a bulk needs a reason of at least 10 characters");
    assertThat(bulks.resume(new UUID(1, 2), request()).message()).startsWith("there is no bulk");
  }
}
