package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.SchemaVersionException;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MigrationsTest {
  private final TestDatabase db = TestDatabase.createEmpty();
  private final Schema schema = new Schema("jobs_x");

  @AfterEach
  void drop() {
    db.close();
  }

  private void check() throws SQLException {
    try (Connection connection = db.connect()) {
      Migrations.check(connection, schema);
    }
  }

  @Test
  void migrate_isDoneOnceInAnySchema() throws SQLException {
    assertThatThrownBy(this::check)
        .isInstanceOf(SchemaVersionException.class)
        .hasMessageContaining("dibs migrate");
    assertThat(Migrations.migrate(db.dataSource(), schema)).isEqualTo(Migrations.VERSION);
    assertThat(Migrations.migrate(db.dataSource(), schema)).isZero();
    check();
    assertThat(db.number("select count(*) from pg_namespace where nspname = 'dibs'")).isZero();
  }

  @Test
  void script_runsWithoutFlyway() throws SQLException {
    db.execute(Migrations.script(schema));
    check();
    assertThat(db.number("select jobs_x.create_history_partitions(4)")).isEqualTo(1);
  }

  @Test
  void files_runInAUsersOwnFlyway() throws SQLException {
    Flyway.configure()
        .dataSource(db.dataSource())
        .defaultSchema(schema.name())
        .table("my_history")
        .locations("classpath:" + Migrations.LOCATION)
        .load()
        .migrate();
    check();
  }

  @Test
  void check_takesANewerSchemaWhileItServesThisBuild() throws SQLException {
    Migrations.migrate(db.dataSource(), schema);
    pretend("schema_version", 99);
    pretend("schema_serves_from", Migrations.VERSION);
    check();
  }

  @Test
  void check_refusesANewerSchemaThatServesThisBuildNoMore() {
    Migrations.migrate(db.dataSource(), schema);
    pretend("schema_version", 99);
    pretend("schema_serves_from", Migrations.VERSION + 1);
    assertThatThrownBy(this::check)
        .isInstanceOf(SchemaVersionException.class)
        .hasMessageContaining(
            "version 99 and serves builds from version " + (Migrations.VERSION + 1) + " on");
  }

  @Test
  void check_refusesAnOlderSchemaAndNamesMigrate() {
    Migrations.migrate(db.dataSource(), schema);
    pretend("schema_version", 1);
    assertThatThrownBy(this::check)
        .isInstanceOf(SchemaVersionException.class)
        .hasMessageContaining(
            "at version 1, this build needs " + Migrations.VERSION + "; run `dibs migrate`");
  }

  private void pretend(String function, int version) {
    db.execute(
        "create or replace function jobs_x.%s() returns integer language sql immutable as 'select %d'"
            .formatted(function, version));
  }

  /** What version 1 made stays as it is, so that its workers may go on. */
  @Test
  void migration_toVersion2ChangesNothingThatWasThere() {
    Flyway.configure()
        .dataSource(db.dataSource())
        .defaultSchema(schema.name())
        .createSchemas(true)
        .locations("classpath:" + Migrations.LOCATION)
        .target("1")
        .load()
        .migrate();
    String columns =
        "select string_agg(concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default), ','"
            + " order by table_name, ordinal_position) from information_schema.columns where table_schema = 'jobs_x'"
            + " and table_name in ('task', 'task_history', 'worker', 'queue', 'duty')";
    String before = db.value(columns);
    Flyway.configure()
        .dataSource(db.dataSource())
        .defaultSchema(schema.name())
        .locations("classpath:" + Migrations.LOCATION)
        .target("2")
        .load()
        .migrate();
    assertThat(db.value(columns)).isNotNull().isEqualTo(before);
    assertThat(db.number("select jobs_x.schema_serves_from()")).isEqualTo(1);
  }

  @Test
  void schedule_refusesRowsThatCannotBe() {
    Migrations.migrate(db.dataSource(), schema);
    db.execute(
        "insert into jobs_x.schedule (name, cron, kind, next_tick_at) values ('s', '* * * * *', 'k', now())");
    for (String columns :
        new String[] {
          "every = '1 minute'",
          "cron = null",
          "cron = null, every = '0.5 seconds'",
          "misfire = 'never'",
          "misfire = 'catch-up'",
          "catch_up = 3",
          "overlap = 'maybe'",
          "jitter = '-1 second'",
          "version = 0",
          "priority = 5",
          "next_tick_at = 'infinity'",
          "kind = ''"
        }) {
      assertThatThrownBy(() -> db.execute("update jobs_x.schedule set " + columns))
          .as(columns)
          .hasMessageContaining("violates check constraint");
    }
  }

  @Test
  void history_takesAnyDayAndLosesOldOnes() {
    Migrations.migrate(db.dataSource(), schema);
    String insert =
        """
        insert into jobs_x.task_history (id, created_at, run_at, finished_at, status, priority, attempt, failures,
          losses, max_attempts, queue, kind, payload)
        values (gen_random_uuid(), now(), now(), now() + ?::interval, 'SUCCEEDED', 3, 1, 0, 0, 25, 'q', 'k', '{}')\
        """;
    for (String when : new String[] {"0", "1 day", "-40 days", "400 days"})
      db.execute(insert, when);
    assertThat(db.number("select count(*) from jobs_x.task_history_default")).isEqualTo(2);
    db.execute(
        "create table jobs_x.task_history_20200101 (like jobs_x.task_history including constraints)");
    db.execute(
        "alter table jobs_x.task_history attach partition jobs_x.task_history_20200101 for values from ('2020-01-01Z') to ('2020-01-02Z')");
    assertThat(db.number("select jobs_x.prune_history()")).isEqualTo(1);
    assertThat(db.number("select count(*) from jobs_x.task_history")).isEqualTo(3);
  }

  @Test
  void history_dayThatTheDefaultPartitionHoldsIsLeftThere() {
    Migrations.migrate(db.dataSource(), schema);
    db.execute(
        """
        insert into jobs_x.task_history (id, created_at, run_at, finished_at, status, priority, attempt, failures,
          losses, max_attempts, queue, kind, payload)
        values (gen_random_uuid(), now(), now(), now() + interval '5 days', 'DEAD', 3, 1, 0, 0, 25, 'q', 'k', '{}')\
        """);
    assertThat(db.number("select jobs_x.create_history_partitions(6)")).isEqualTo(2);
  }

  @Test
  void task_refusesRowsThatCannotBe() {
    Migrations.migrate(db.dataSource(), schema);
    for (String columns :
        new String[] {
          "status = 'PROCESSING'",
          "lease = gen_random_uuid()",
          "status = 'SUCCEEDED'",
          "priority = 5",
          "max_attempts = 0",
          "run_at = 'infinity'",
          "queue = ''",
          "losses = -1"
        }) {
      db.execute("insert into jobs_x.task (id, kind) values (gen_random_uuid(), 'k')");
      assertThatThrownBy(() -> db.execute("update jobs_x.task set " + columns))
          .as(columns)
          .hasMessageContaining("violates check constraint");
    }
  }

  @Test
  void schemaNames_areRefusedUnlessTheyArePlain() {
    for (String name : new String[] {"", "Dibs", "a-b", "a\"b", "x".repeat(42), "1a"}) {
      assertThatThrownBy(() -> new Schema(name)).isInstanceOf(IllegalArgumentException.class);
    }
  }
}
