package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.BulkChange;
import dev.dibs.BulkOrder;
import dev.dibs.Priority;
import dev.dibs.Request;
import dev.dibs.TaskFilter;
import dev.dibs.TaskStatus;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(120)
class BulkRowsTest {
  /** A million and more by {@code -Ddibs.plan.rows}. */
  private static final int MANY = Integer.getInteger("dibs.plan.rows", 20_000);

  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connectReadCommitted();
  private final BulkRows rows = new BulkRows(Schema.DEFAULT);

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  private static BulkOrder order(TaskStatus status, BulkChange change) {
    return BulkOrder.of(TaskFilter.of(status).queue("q"), change);
  }

  private BulkRows.Answer start(BulkOrder order) throws SQLException {
    return rows.start(
        connection,
        order,
        rows.freeze(connection, order),
        OptionalLong.empty(),
        new Request(new UUID(0, 7), "ana", "test", "to see what it reads"));
  }

  private BulkRows.Step step(UUID driver, int most) throws SQLException {
    return rows.step(
        connection, new UUID(0, 7), driver, most, Optional.empty(), Duration.ofSeconds(20));
  }

  private long buffersOfABatch(UUID driver) throws SQLException {
    try (var statement = connection.createStatement();
        var plan =
            statement.executeQuery(
                "explain (analyze, buffers, costs off, timing off) select * from dibs.step_bulk('%s', '%s', 500)"
                    .formatted(new UUID(0, 7), driver))) {
      StringBuilder text = new StringBuilder();
      while (plan.next()) text.append(plan.getString(1)).append('\n');
      Matcher hit =
          Pattern.compile("Buffers: shared(?: hit=(\\d+))?(?: read=(\\d+))?").matcher(text);
      assertThat(hit.find()).as(text.toString()).isTrue();
      return number(hit.group(1)) + number(hit.group(2));
    }
  }

  private static long number(@org.jspecify.annotations.Nullable String digits) {
    return digits == null ? 0 : Long.parseLong(digits);
  }

  private void fill(String status) {
    if (status.equals("DEAD"))
      db.execute(
          """
          insert into dibs.task_history (id, created_at, run_at, finished_at, status, priority, attempt, failures, losses,
            max_attempts, queue, kind, payload)
          select gen_random_uuid(), now(), now(), now() - n * interval '1 ms', 'DEAD', 3, 7, 7, 0, 7, 'q', 'k', '{}'
          from generate_series(1, ?) n\
          """,
          MANY);
    else
      db.execute(
          """
          insert into dibs.task (id, queue, kind, status, run_at)
          select gen_random_uuid(), 'q', 'k', ?::dibs.task_status, now() + n * interval '1 s' from generate_series(1, ?) n\
          """,
          status,
          MANY);
  }

  /** A batch reads what it changes, however much stands before it and behind it. */
  @ParameterizedTest
  @CsvSource({
    "DEAD,retry",
    "DEAD,delete",
    "PENDING,prioritise",
    "SCHEDULED,cancel",
    "BLOCKED,move"
  })
  void aBatch_readsAboutWhatItChanges(TaskStatus status, String action) throws SQLException {
    db.execute("alter table dibs.task set (autovacuum_enabled = off)");
    fill(status.name());
    UUID driver = start(order(status, change(action))).driver().orElseThrow();
    for (int i = 0; i < 3; i++) assertThat(step(driver, 500).changed()).isEqualTo(500);
    long early = buffersOfABatch(driver);
    for (int i = 0; i < MANY / 2_000; i++) assertThat(step(driver, 500).changed()).isEqualTo(500);
    long late = buffersOfABatch(driver);
    assertThat(List.of(early, late)).allSatisfy(read -> assertThat(read).isLessThan(40_000));
    assertThat(late).isLessThan(early * 3 / 2 + 2_000);
  }

  private static BulkChange change(String action) {
    return switch (action) {
      case "retry" -> new BulkChange.Retry(Duration.ZERO);
      case "delete" -> new BulkChange.Delete();
      case "cancel" -> new BulkChange.Cancel();
      case "move" -> new BulkChange.Move("other");
      case "prioritise" -> new BulkChange.Prioritise(Priority.LOW);
      default -> new BulkChange.Reschedule(Instant.EPOCH);
    };
  }

  /** Rows bear the numbers of their transactions in 32 bits, snapshots in 64. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          5   | 7:7:   | t
          6   | 7:9:8  | t
          7   | 7:7:   | f
          8   | 7:9:8  | f
          7   | 7:9:8  | t
          9   | 7:9:8  | f
          2   | 7:9:8  | t
          """)
  void aRow_isUnwrittenSinceASnapshotThatSawItsWriter(
      String writer, String snapshot, String expected) {
    assertThat(db.value("select dibs.unwritten_since(?::xid, ?::pg_snapshot)", writer, snapshot))
        .isEqualTo(expected);
  }

  @Test
  void whatIsWrittenInATransactionThatWasOpenAtThePreview_isNotTouched() throws SQLException {
    var cancel = order(TaskStatus.PENDING, new BulkChange.Cancel());
    db.execute("insert into dibs.task (id, queue, kind) values (gen_random_uuid(), 'q', 'k')");
    String frozen;
    try (Connection theirs = db.connectReadCommitted()) {
      theirs.setAutoCommit(false);
      theirs
          .createStatement()
          .execute("insert into dibs.task (id, queue, kind) values (gen_random_uuid(), 'q', 'k')");
      frozen = rows.freeze(connection, cancel);
      theirs.commit();
    }
    var first = rows.first(connection, cancel, frozen, 10, 100, Duration.ofSeconds(9));
    assertThat(first).isEqualTo(new BulkRows.First(first.ids(), true));
    assertThat(first.ids()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          retry  | {}                                         | {} | a filter needs a status
          retry  | {"status": "DEAD"}                         | {} | a filter needs a queue, a kind or ids beside its status
          retry  | {"status": "DEAD", "error": "x"}           | {} | a filter needs a queue, a kind or ids beside its status
          retry  | {"status": "DEAD", "quene": "q"}           | {} | a filter has an unknown field 'quene'
          retry  | {"status": "PENDING", "queue": "q"}        | {} | retry cannot be done to tasks that are PENDING
          purge  | {"status": "DEAD", "queue": "q"}           | {} | action must be retry, cancel, delete
          move   | {"status": "PENDING", "queue": "q"}        | {} | move needs queue
          cancel | {"status": "PENDING", "queue": "q", "ids": []} | {} | ids must be 1 to 10000
          """)
  void anOrderThatMakesNoSense_isRefusedByTheDatabaseToo(
      String action, String filter, String parameters, String message) {
    assertThatThrownBy(() ->
            db.value("select dibs.freeze_bulk(?, ?::jsonb, ?::jsonb)", action, filter, parameters))
        .hasMessageContaining(message);
  }
}
