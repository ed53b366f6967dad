package dev.dibs.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.AuditFilter;
import dev.dibs.AuditRow;
import dev.dibs.DatabaseException;
import dev.dibs.Page;
import dev.dibs.Priority;
import dev.dibs.Request;
import dev.dibs.Retention;
import dev.dibs.TaskFilter;
import dev.dibs.TaskRow;
import dev.dibs.TaskStatus;
import dev.dibs.operations.Operations.Answer.Result;
import dev.dibs.operations.Operations.Seen;
import dev.dibs.testing.TestDatabase;
import dev.dibs.testing.TestRoles;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class OperationsTest {
  private final TestDatabase db = TestDatabase.create();
  private final Operations operations = Operations.on(db.dataSource());

  @AfterEach
  void drop() {
    db.close();
  }

  private static Request why(String why) {
    return Request.of("ana", "test", why);
  }

  private UUID enqueue() {
    return UUID.fromString(
        String.valueOf(db.value("select dibs.enqueue('mail', '\"s3cr3t\"', queue => 'q')")));
  }

  private Seen seen(UUID id) {
    return Seen.of(operations.find(id).orElseThrow().row());
  }

  @Test
  void anAction_answersHowTheTaskIsNow() {
    UUID id = enqueue();
    Seen first = seen(id);
    var moved = operations.move(first, "other", why("INC-7"));
    assertThat(moved.result()).isEqualTo(Result.DONE);
    assertThat(moved.now().orElseThrow().queue()).isEqualTo("other");
    assertThat(operations.prioritise(first, Priority.LOW, why("")).now().orElseThrow().priority())
        .isEqualTo(Priority.LOW);
    assertThat(operations.reschedule(first, Instant.now().plusSeconds(60), why("")).result())
        .isEqualTo(Result.DONE);
    var stale = operations.cancel(first, why(""));
    assertThat(stale.result()).isEqualTo(Result.STALE);
    assertThat(stale.message()).isEqualTo("it was seen as PENDING.0 and is SCHEDULED.0");
    assertThat(stale.now().orElseThrow().status()).isEqualTo(TaskStatus.SCHEDULED);
    assertThat(operations.cancel(seen(id), why("INC-7")).now().orElseThrow().status())
        .isEqualTo(TaskStatus.CANCELLED);
    assertThat(operations.retry(seen(id), Duration.ZERO, why("")).now().orElseThrow().status())
        .isEqualTo(TaskStatus.PENDING);
    assertThat(operations.delete(seen(id), why("")).now()).isEmpty();
    assertThat(operations.delete(first, why("")).result()).isEqualTo(Result.MISSING);
    assertThat(operations.find(id)).isEmpty();
  }

  @Test
  void find_showsErrorsAndNoPayload_andRevealIsAudited() {
    UUID id = enqueue();
    operations.cancel(seen(id), why("INC-7"));
    var page = operations.find(id).orElseThrow();
    assertThat(page.toString()).doesNotContain("s3cr3t");
    assertThat(page.errors())
        .singleElement()
        .satisfies(error -> assertThat(error.message()).isEqualTo("INC-7"));
    assertThat(page.row().lastError().orElseThrow().type()).isEqualTo("cancelled");
    assertThat(operations.reveal(id, why("asked by support"))).contains("\"s3cr3t\"");
    assertThat(operations.audit(AuditFilter.ALL.action("payload"), Optional.empty(), 9).rows())
        .singleElement()
        .satisfies(row -> assertThat(row.request().why()).isEqualTo("asked by support"));
  }

  @Test
  void audit_isListedByWhoWhatAndWhomTheNewestFirst() {
    for (int i = 0; i < 7; i++) operations.pauseQueue("q" + i, why("INC-" + i));
    operations.resumeQueue("q3", Request.of("bob", "test", ""));
    operations.retain("q3", Retention.DEFAULT.withDead(Duration.ofDays(90)), why("law"));
    List<AuditRow> all = new ArrayList<>();
    Optional<Page.Cursor> after = Optional.empty();
    do {
      Page<AuditRow> page = operations.audit(AuditFilter.ALL, after, 4);
      all.addAll(page.rows());
      after = page.next();
    } while (after.isPresent());
    assertThat(all)
        .hasSize(9)
        .extracting(AuditRow::at)
        .isSortedAccordingTo((a, b) -> b.compareTo(a));
    assertThat(operations.audit(AuditFilter.ALL.target("q3"), Optional.empty(), 9).rows())
        .extracting(row -> row.action() + " " + row.request().actor())
        .containsExactly("queue.retain ana", "queue.resume bob", "queue.pause ana");
    assertThat(operations.audit(AuditFilter.ALL.actor("bob"), Optional.empty(), 9).rows())
        .hasSize(1);
    assertThat(operations.audit(AuditFilter.ALL.action("queue.pause"), Optional.empty(), 9).rows())
        .hasSize(7);
  }

  /**
   * The functions refuse such a reason; the owner of the table may have written it all the same.
   */
  @Test
  void audit_showsWhatNoProgramMaySend() {
    db.execute(
        """
        insert into dibs.audit (id, actor, source, action, target, why, result)
        values (gen_random_uuid(), 'bo' || chr(27), 'sql', 'queue.pause', 'q', 'a' || chr(7) || 'b', 'done')\
        """);
    assertThat(operations.audit(AuditFilter.ALL, Optional.empty(), 9).rows())
        .singleElement()
        .satisfies(row -> assertThat(row.request().why()).isEqualTo("a\uFFFDb"));
  }

  /** A table that somebody holds is given up soon, and says so. */
  @Test
  void reading_waitsForNobody() throws Exception {
    try (Connection holder = db.connect()) {
      holder.setAutoCommit(false);
      holder.createStatement().execute("lock table dibs.task");
      long before = System.nanoTime();
      assertThatThrownBy(() -> operations.list(TaskFilter.of(TaskStatus.PENDING), 9))
          .isInstanceOf(DatabaseException.class)
          .hasMessageContaining("the PENDING tasks could not be listed");
      assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
      holder.rollback();
    }
    assertThat(operations.list(TaskFilter.of(TaskStatus.PENDING), 9).rows()).isEmpty();
  }

  @Test
  void whatMakesNoSense_isRefusedWithTheWayOut() {
    assertThatThrownBy(() -> operations.list(TaskFilter.of(TaskStatus.DEAD), 1001))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a page must have 1 to 1000 rows, was 1001");
    assertThatThrownBy(() -> operations.pauseQueue("", why("")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a queue name must have 1 to 128 characters");
    Request request = why("");
    operations.pauseQueue("q", request);
    assertThatThrownBy(() -> operations.pauseQueue("r", request))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("ask for something else under another id");
  }

  /** The viewer reads all there is to read and does nothing; the operator does it all. */
  @Test
  void roles_areEnoughForWhatTheyAreFor() {
    try (var roles = new TestRoles()) {
      String schema = roles.schema().name();
      UUID id =
          UUID.fromString(
              String.valueOf(roles.db().value("select %s.enqueue('mail')".formatted(schema))));
      roles.db().value("select %s.register('h', 1, '{default}', '{mail}')".formatted(schema));
      var viewer = Operations.on(roles.user("viewer"), roles.schema());
      for (TaskStatus status : TaskStatus.values()) {
        TaskFilter filter = TaskFilter.of(status).header("a", "b").error("x");
        assertThat(viewer.list(filter, 9).rows()).isEmpty();
        assertThat(viewer.list(TaskFilter.of(status), 9).rows())
            .hasSize(status == TaskStatus.PENDING ? 1 : 0);
      }
      TaskRow row = viewer.find(id).orElseThrow().row();
      assertThat(viewer.queues()).hasSize(1);
      assertThat(viewer.kinds()).hasSize(1);
      assertThat(viewer.workers()).hasSize(1);
      assertThat(viewer.audit(AuditFilter.ALL, Optional.empty(), 9).rows()).isEmpty();
      List<org.assertj.core.api.ThrowableAssert.ThrowingCallable> actions =
          List.of(
              () -> viewer.retry(Seen.of(row), Duration.ZERO, why("")),
              () -> viewer.cancel(Seen.of(row), why("")),
              () -> viewer.delete(Seen.of(row), why("")),
              () -> viewer.move(Seen.of(row), "x", why("")),
              () -> viewer.pauseQueue("q", why("")),
              () -> viewer.resumeKind("q", why("")),
              () -> viewer.retain("q", Retention.DEFAULT, why("")),
              () -> viewer.drainWorker(id, why("")),
              () -> viewer.reveal(id, why("")));
      for (var action : actions)
        assertThatThrownBy(action)
            .isInstanceOf(DatabaseException.class)
            .hasMessageContaining("permission denied");
      var operator = Operations.on(roles.user("operator"), roles.schema());
      assertThat(operator.cancel(Seen.of(row), why("")).now().orElseThrow().status())
          .isEqualTo(TaskStatus.CANCELLED);
      assertThat(
              operator
                  .retry(Seen.of(operator.find(id).orElseThrow().row()), Duration.ZERO, why(""))
                  .result())
          .isEqualTo(Result.DONE);
      assertThat(operator.reveal(id, why(""))).contains("{}");
      operator.retain("q", Retention.DEFAULT, why(""));
      assertThat(operator.audit(AuditFilter.ALL, Optional.empty(), 9).rows()).hasSize(4);
    }
  }
}
