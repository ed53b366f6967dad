package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The hot statements find their rows by the index they are meant to, whatever the planner believes
 * of the table. A claim that walks the primary key of a bloated table costs a hundred times what it
 * should.
 */
class PlanTest {
  private static final UUID WORKER = UUID.randomUUID();

  /** 10 million and more by {@code -Ddibs.plan.rows}, which takes minutes. */
  private static final int MANY = Integer.getInteger("dibs.plan.rows", 200_000);

  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connect();

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  private static SqlText claiming() {
    return new Exchange(Schema.DEFAULT).claiming();
  }

  private static Map<String, String> claim(long floor) {
    return Map.ofEntries(
        Map.entry("queues", "'{q}'::text[]"),
        Map.entry("queueRooms", "'{100}'::int[]"),
        Map.entry("laneQueues", "'{q,q,q,q}'::text[]"),
        Map.entry("lanePriorities", "'{1,2,3,4}'::smallint[]"),
        Map.entry("laneFloors", "'{%d,%d,%d,%d}'::bigint[]".formatted(floor, floor, floor, floor)),
        Map.entry("laneRooms", "'{100,100,100,100}'::int[]"),
        Map.entry("kinds", "'{k}'::text[]"),
        Map.entry("worker", "'" + WORKER + "'::uuid"),
        Map.entry("lease", "gen_random_uuid()"),
        Map.entry("lazily", "true"));
  }

  /** What the database did for a statement of the engine's, under a generic plan. */
  private String explain(SqlText text, Map<String, String> values) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(Plans.FIXED);
    }
    return explainAsSent(text, values);
  }

  /** Likewise under a session's own settings. */
  private String explainAsSent(SqlText text, Map<String, String> values) throws SQLException {
    StringBuilder numbered = new StringBuilder();
    Matcher marks = Pattern.compile("\\?").matcher(text.sql());
    int[] n = {0};
    numbered.append(marks.replaceAll(mark -> "\\$" + ++n[0]));
    String arguments =
        text.parameters().stream().map(values::get).collect(Collectors.joining(", "));
    try (Statement statement = connection.createStatement()) {
      statement.execute("set plan_cache_mode = force_generic_plan");
      statement.execute("prepare hot as " + numbered);
      try (ResultSet rows =
          statement.executeQuery(
              "explain (analyze, buffers, costs off, timing off) execute hot(" + arguments + ")")) {
        StringBuilder plan = new StringBuilder();
        while (rows.next()) plan.append(rows.getString(1)).append('\n');
        return plan.toString();
      } finally {
        statement.execute("deallocate hot");
      }
    }
  }

  private static long buffers(String plan) {
    Matcher hit = Pattern.compile("Buffers: shared(?: hit=(\\d+))?(?: read=(\\d+))?").matcher(plan);
    assertThat(hit.find()).as(plan).isTrue();
    return number(hit.group(1)) + number(hit.group(2));
  }

  private static long number(@org.jspecify.annotations.Nullable String digits) {
    return digits == null ? 0 : Long.parseLong(digits);
  }

  private void fill(int tasks) {
    db.execute(
        """
        insert into dibs.task (id, queue, kind, payload)
        select gen_random_uuid(), 'q', 'k', jsonb_build_object('n', n) from generate_series(1, ?) n\
        """,
        tasks);
  }

  /** Fifty values as a literal: of tasks that are there, held by nobody. */
  private String array(String value, String type) {
    String array =
        db.value(
            "select array_agg(("
                + value
                + ")::"
                + type
                + ")::text from (select id from dibs.task limit 50) t");
    return "'" + array + "'::" + type + "[]";
  }

  private static void assertGood(String plan) {
    assertThat(plan)
        .containsAnyOf("task_lane", "task_pkey")
        .doesNotContain("Seq Scan on task ")
        .doesNotContain("Seq Scan on task\n");
    assertThat(plan).doesNotContain("Index Scan using task_held").doesNotContain("Bitmap");
  }

  @Test
  void claim_usesTheLaneOnATableNeverAnalysed() throws SQLException {
    db.execute("alter table dibs.task set (autovacuum_enabled = off)");
    fill(50_000);
    String plan = explain(claiming(), claim(0));
    assertGood(plan);
    assertThat(plan).contains("rows=100");
    assertThat(buffers(plan)).as(plan).isLessThan(5_000);
  }

  @Test
  void claim_entersNoLaneWhenAllItsKindsArePaused() throws SQLException {
    fill(50_000);
    db.execute("vacuum analyze dibs.task");
    db.execute("insert into dibs.kind (name, paused_at) values ('other', now())");
    String plan = explain(claiming(), claim(0));
    assertGood(plan);
    assertThat(plan).contains("rows=100");
    db.execute("insert into dibs.kind (name, paused_at) values ('k', now())");
    assertThat(buffers(explain(claiming(), claim(0)))).isLessThan(100);
  }

  @Test
  void claim_costsTheSameHoweverManyWait() throws SQLException {
    fill(1_000);
    db.execute("vacuum analyze dibs.task");
    long few = buffers(explain(claiming(), claim(0)));
    fill(MANY);
    db.execute("vacuum analyze dibs.task");
    String plan = explain(claiming(), claim(0));
    assertGood(plan);
    assertThat(buffers(plan)).as(plan).isLessThan(few * 3 / 2 + 300);
    assertFoundByThePrimaryKey();
  }

  @Test
  void claim_readsFewPagesAboveItsFloorOnABloatedTableThatLooksEmpty() throws SQLException {
    db.execute("alter table dibs.task set (autovacuum_enabled = off)");
    try (Connection snapshot = db.connect()) {
      snapshot.setAutoCommit(false);
      snapshot.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      snapshot.createStatement().executeQuery("select count(*) from dibs.queue").close();
      fill(100_000);
      db.execute("delete from dibs.task");
      db.execute("analyze dibs.task");
      long floor = db.number("select last_value from dibs.task_position");
      fill(200);
      String plan = explain(claiming(), claim(floor));
      assertGood(plan);
      assertThat(plan).contains("rows=100");
      assertThat(buffers(plan)).as(plan).isLessThan(4_000);
      snapshot.rollback();
    }
  }

  /** Outcomes of fifty tasks that are there, held by nobody. */
  private Map<String, String> outcomes() {
    return Map.ofEntries(
        Map.entry("endedIds", array("id", "uuid")),
        Map.entry("endedLeases", array("gen_random_uuid()", "uuid")),
        Map.entry("endings", array("0", "smallint")),
        Map.entry("oddStatuses", "'{}'::text[]"),
        Map.entry("oddErrors", "'{}'::text[]"),
        Map.entry("againIds", array("id", "uuid")),
        Map.entry("againLeases", array("gen_random_uuid()", "uuid")),
        Map.entry("againDelays", array("0", "bigint")),
        Map.entry("againFailed", array("0", "int")),
        Map.entry("againErrors", array("null", "text")));
  }

  private void assertFoundByThePrimaryKey() throws SQLException {
    String plan = explain(new Exchange(Schema.DEFAULT).ending(), outcomes());
    assertGood(plan);
    assertThat(plan).contains("task_pkey");
    assertThat(buffers(plan)).as(plan).isLessThan(5_000);
  }

  @Test
  void outcomes_areFoundByThePrimaryKeyOnATableNeverAnalysed() throws SQLException {
    db.execute("alter table dibs.task set (autovacuum_enabled = off)");
    fill(50_000);
    assertFoundByThePrimaryKey();
  }

  @Test
  void outcomes_areFoundByThePrimaryKeyOnABloatedTableThatLooksEmpty() throws SQLException {
    db.execute("alter table dibs.task set (autovacuum_enabled = off)");
    try (Connection snapshot = db.connect()) {
      snapshot.setAutoCommit(false);
      snapshot.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      snapshot.createStatement().executeQuery("select count(*) from dibs.queue").close();
      fill(100_000);
      db.execute("delete from dibs.task");
      db.execute("analyze dibs.task");
      fill(200);
      assertFoundByThePrimaryKey();
      snapshot.rollback();
    }
  }

  @Test
  void claim_doesNotSeeAMillionTasksOfTomorrow() throws SQLException {
    db.execute(
        """
        insert into dibs.task (id, queue, kind, status, run_at)
        select gen_random_uuid(), 'q', 'k', 'SCHEDULED', now() + interval '1 day' from generate_series(1, 200000)\
        """);
    fill(200);
    db.execute("vacuum analyze dibs.task");
    String plan = explain(claiming(), claim(0));
    assertGood(plan);
    assertThat(buffers(plan)).as(plan).isLessThan(4_000);
  }

  /** On whoever's connection a task is enqueued, what holds its key is found by the indexes. */
  private void assertKeysAreFound() throws SQLException {
    Map<String, String> values =
        Map.ofEntries(
            Map.entry("ids", array("gen_random_uuid()", "uuid")),
            Map.entry("queues", array("'q'", "text")),
            Map.entry("uniqueKeys", array("'key' || id", "text")),
            Map.entry("kinds", array("'k'", "text")),
            Map.entry("priorities", array("3", "smallint")),
            Map.entry("delays", array("0", "bigint")),
            Map.entry("runAts", array("null", "timestamptz")),
            Map.entry("maxAttempts", array("25", "int")),
            Map.entry("timeouts", array("null", "bigint")),
            Map.entry("payloads", array("'1'", "text")),
            Map.entry("headers", array("null", "text")));
    var texts = new InsertUniqueTasks(Schema.DEFAULT).texts();
    for (String verb : List.of("unique-look", "unique-replace")) {
      String plan = explainAsSent(Objects.requireNonNull(texts.get(verb)), values);
      assertThat(plan).doesNotContain("Seq Scan on task ").doesNotContain("Seq Scan on task\n");
      assertThat(buffers(plan)).as(plan).isLessThan(5_000);
    }
  }

  private void fillWithKeys(int tasks) {
    fill(tasks);
    db.execute("update dibs.task set unique_key = 'key' || id, unique_hold = true");
  }

  @Test
  void keys_areFoundByTheirIndexesOnATableNeverAnalysed() throws SQLException {
    db.execute("alter table dibs.task set (autovacuum_enabled = off)");
    fillWithKeys(50_000);
    assertKeysAreFound();
  }

  @Test
  void keys_areFoundByTheirIndexesOnABloatedTableThatLooksEmpty() throws SQLException {
    db.execute("alter table dibs.task set (autovacuum_enabled = off)");
    try (Connection snapshot = db.connect()) {
      snapshot.setAutoCommit(false);
      snapshot.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      snapshot.createStatement().executeQuery("select count(*) from dibs.queue").close();
      fill(100_000);
      db.execute("delete from dibs.task");
      db.execute("analyze dibs.task");
      fillWithKeys(200);
      assertKeysAreFound();
      snapshot.rollback();
    }
  }

  @Test
  void keys_areFoundByTheirIndexesAmongMany() throws SQLException {
    fillWithKeys(MANY);
    db.execute("vacuum analyze dibs.task");
    assertKeysAreFound();
  }

  @Test
  void promoteAndRescue_useTheirOwnIndexes() throws SQLException {
    fill(50_000);
    db.execute("vacuum analyze dibs.task");
    String promote = explain(new PromoteTasks(Schema.DEFAULT).text(), Map.of("max", "1000"));
    assertThat(promote).contains("task_due").doesNotContain("Seq Scan on task ");
    String rescue =
        explain(
            new RescueTasks(Schema.DEFAULT).text(),
            Map.of(
                "worker", "'" + WORKER + "'::uuid", "host", "'h'", "maxLosses", "3", "max", "500"));
    assertThat(rescue).contains("task_held").doesNotContain("Seq Scan on task ");
    assertThat(List.of(buffers(promote), buffers(rescue)))
        .allSatisfy(buffers -> assertThat(buffers).isLessThan(100));
  }
}
