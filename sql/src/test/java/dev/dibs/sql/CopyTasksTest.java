package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.Codec;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import dev.dibs.Priority;
import dev.dibs.Text;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CopyTasksTest {
  private static final List<String> NASTY =
      List.of(
          "",
          "\\",
          "\\N",
          "\\.",
          "\n\\.\n",
          "\t",
          "\r\n",
          "\"",
          "'",
          "{\"a\",NULL}",
          "$1 ? {0} @@x",
          "\b\f\u007f\u0085\u2028",
          "ünï 😀 𝔘",
          "x".repeat(200_000),
          "\\\t\n😀".repeat(20_000));

  private final CopyTasks copy = new CopyTasks(Schema.DEFAULT);
  private final InsertTasks insert = new InsertTasks(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connect();

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  private static InsertTasks.Row row(NewTask<Json> task) {
    var headers = task.options().headers();
    return new InsertTasks.Row(
        task.id(),
        task.kind().name(),
        task.payload().text(),
        headers.isEmpty() ? null : Codec.jackson().encode(headers),
        task.options());
  }

  private static NewTask<Json> task(String json) {
    return Kind.json("mail").task(new Json(json)).queue("q");
  }

  private String written() {
    String rows =
        db.value(
            """
            select string_agg(concat_ws('|', id, queue, kind, priority, status, run_at = created_at,
              attempt, failures, losses, max_attempts, timeout, payload, coalesce(headers::text, 'null')), e'\n'
              order by position) from dibs.task\
            """);
    return rows == null ? "" : rows;
  }

  @Test
  void copy_writesWhatAnInsertWrites() throws SQLException {
    List<InsertTasks.Row> rows = new ArrayList<>();
    for (String text : NASTY) {
      String json = Codec.jackson().encode(Map.of(Text.cut(text, 100), text));
      rows.add(row(task(json)));
      rows.add(row(task("\n{\t\"spaced\" :\r\n" + json + "}\n")));
      rows.add(row(task("1").header("nasty", text)));
    }
    rows.add(row(task("null").queue("back\\slash 'q' \"😀").priority(Priority.URGENT)));
    rows.add(row(Kind.json("k\\N").task(new Json("[1e10, -0.0, 1.50]")).maxAttempts(1)));
    rows.add(row(task("\"\"").priority(Priority.LOW).timeout(Duration.ofNanos(1_234_567_891))));
    rows.add(row(task("{}").timeout(Duration.ofDays(400)).maxAttempts(Integer.MAX_VALUE)));
    insert.insert(connection, rows);
    String inserted = written();
    db.execute("delete from dibs.task");

    copy.copy(connection, rows.iterator());

    assertThat(written()).isEqualTo(inserted).hasSizeGreaterThan(1_000_000);
    assertThat(db.tasks("PENDING")).isEqualTo(rows.size());
  }

  @Test
  void copy_takesItsTimesFromTheStatementNotTheTransaction() throws SQLException {
    connection.setAutoCommit(false);
    connection.createStatement().execute("select pg_catalog.txid_current()");
    Instant between = Instant.parse(now().replace(' ', 'T'));
    copy.copy(connection, List.of(row(task("1"))).iterator());
    connection.commit();
    assertThat(
            db.number(
                "select count(*) from dibs.task where created_at >= ?::timestamptz and run_at = created_at",
                between.toString()))
        .isEqualTo(1);
  }

  private String now() {
    String now =
        db.value(
            "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.USZ')");
    return now == null ? "" : now;
  }

  @Test
  void copy_refusesThemAllWhenOneIsThere() throws SQLException {
    NewTask<Json> there = task("1");
    insert.insert(connection, List.of(row(there)));
    assertThatThrownBy(() ->
            copy.copy(connection, Stream.of(task("2"), there).map(CopyTasksTest::row).iterator()))
        .isInstanceOfSatisfying(
            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("23505"));
    assertThat(db.tasks("PENDING")).isEqualTo(1);
    copy.copy(connection, List.of(row(task("3"))).iterator());
    assertThat(db.tasks("PENDING")).isEqualTo(2);
  }

  @Test
  void copy_leavesNothingWhenItsRowsEndInAnError() throws SQLException {
    var rows =
        Stream.of("1", "broken", "2")
            .map(text -> {
              if (text.equals("broken")) throw new PayloadException("no");
              return row(task(text));
            })
            .iterator();
    assertThatThrownBy(() -> copy.copy(connection, rows)).isInstanceOf(PayloadException.class);
    assertThat(db.tasks("PENDING")).isZero();
    copy.copy(connection, List.of(row(task("3"))).iterator());
    assertThat(db.tasks("PENDING")).isEqualTo(1);
  }

  @Test
  void copy_refusesATaskThatIsDueLater() {
    assertThatThrownBy(() ->
            copy.copy(connection, List.of(row(task("1").delay(Duration.ofMinutes(1)))).iterator()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(db.tasks("PENDING")).isZero();
  }

  @Test
  void statement_isWhatWasReviewed() {
    assertThat(copy.sql())
        .isEqualTo(
            """
            copy "dibs"."task" (id, queue, kind, priority, max_attempts, timeout, payload, headers) \
            from stdin (format binary)\
            """);
  }
}
