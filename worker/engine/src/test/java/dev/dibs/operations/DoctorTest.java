package dev.dibs.operations;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.DatabaseException;
import dev.dibs.operations.Doctor.Thresholds;
import dev.dibs.operations.Finding.Severity;
import dev.dibs.sql.CheckQueues;
import dev.dibs.sql.Migrations;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestClock;
import dev.dibs.testing.TestDatabase;
import dev.dibs.testing.TestRoles;
import dev.dibs.worker.Pgbouncer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** Each finding is made true once, and is gone again where that is easily said. */
@Timeout(60)
class DoctorTest {
  private static final Thresholds AT_ONCE =
      new Thresholds(
          Duration.ZERO,
          Duration.ZERO,
          ofSeconds(60),
          ofSeconds(2),
          ofSeconds(60),
          200_000,
          85,
          1_000_000_000);

  private final TestDatabase db = TestDatabase.create();

  @AfterEach
  void drop() {
    db.close();
  }

  private Finding finding(String check) {
    return finding(Thresholds.DEFAULT, check);
  }

  private Finding finding(Thresholds thresholds, String check) {
    return only(Doctor.on(db.dataSource()).withThresholds(thresholds).examine(), check);
  }

  private static Finding only(List<Finding> findings, String check) {
    List<Finding> found =
        findings.stream().filter(finding -> finding.check().equals(check)).toList();
    assertThat(found).as(check).hasSize(1);
    return found.getFirst();
  }

  private static void assertAttention(Finding finding, String sentence, String cure) {
    assertThat(finding.sentence()).contains(sentence);
    assertThat(finding.cure()).contains(cure);
    assertThat(finding.severity()).isEqualTo(Severity.ATTENTION);
    assertThat(finding.needsAttention()).isTrue();
  }

  private void assertOk(String check) {
    assertThat(finding(check)).extracting(Finding::severity).isEqualTo(Severity.OK);
  }

  private void worker(String queue, String kind) {
    db.value("select dibs.register('h1', 42, array[?], array[?])", queue, kind);
  }

  @Test
  void aFreshDatabase_isHealthyButForWhatThisServerIsSetTo() {
    List<Finding> findings = Doctor.on(db.dataSource()).examine();
    assertThat(findings).hasSizeGreaterThan(25);
    assertThat(findings).extracting(Finding::check).doesNotHaveDuplicates();
    assertThat(findings).extracting(Finding::severity).isSorted();
    // Other tests use this server, too: what belongs to all of it is not judged here.
    var odd =
        findings.stream()
            .filter(finding -> finding.severity() != Severity.OK)
            .map(Finding::check)
            .collect(Collectors.toSet());
    assertThat(odd)
        .contains("durability", "workers")
        .isSubsetOf("durability", "workers", "connections", "replication-slots", "held-snapshot");
    assertAttention(
        only(findings, "durability"),
        "loses tasks that it has acknowledged: fsync = off, synchronous_commit = off",
        "alter system reset");
    assertThat(only(findings, "workers").sentence()).isEqualTo("no worker is alive");
  }

  @Test
  void aSchemaThatIsNotThere_orIsOld_isFound() {
    db.execute(
        "create or replace function dibs.schema_version() returns integer language sql immutable as 'select 3'");
    assertAttention(
        finding("schema-version"), "schema \"dibs\" is at version 3", "run `dibs migrate`");
    db.execute("drop schema dibs cascade");
    List<Finding> findings = Doctor.on(db.dataSource()).examine();
    assertAttention(only(findings, "schema-version"), "no Dibs schema", "run `dibs migrate`");
  }

  @Test
  void aSchemaThatIsNotThere_leavesNoFalseTrails() {
    db.execute("drop schema dibs cascade");
    List<Finding> findings = Doctor.on(db.dataSource()).examine();
    assertThat(findings.getFirst().check()).isEqualTo("schema-version");
    assertThat(findings)
        .extracting(Finding::check)
        .containsExactlyInAnyOrder(
            "schema-version",
            "server-version",
            "writable",
            "durability",
            "connections",
            "transaction-ids",
            "clock",
            "held-snapshot",
            "idle-in-transaction",
            "prepared-transactions",
            "replication-slots",
            "replication",
            "pooler");
    assertThat(findings).extracting(Finding::severity).doesNotContain(Severity.UNKNOWN);
    assertThat(findings.toString()).doesNotContain("_viewer");
  }

  @Test
  void aTableThatIsNotThere_isUnknown() {
    db.execute("drop table dibs.worker cascade");
    assertThat(finding("workers").sentence())
        .isEqualTo(
            "could not check whether any worker is alive: the schema lacks something (SQLSTATE 42P01)");
  }

  @Test
  void aNewerSchemaThatServesThisBuild_isNoted() {
    db.execute(
        "create or replace function dibs.schema_version() returns integer language sql immutable as 'select 99'");
    assertThat(finding("schema-version").severity()).isEqualTo(Severity.NOTE);
    assertThat(finding("schema-version").sentence())
        .contains("version 99 and serves this build of version " + Migrations.VERSION);
  }

  @Test
  void servers_areOldOrNew() {
    assertAttention(ServerChecks.serverVersion("v", 140_011), "PostgreSQL 14.11 is too old", "");
    assertThat(ServerChecks.serverVersion("v", 190_000).severity()).isEqualTo(Severity.NOTE);
    assertOk("server-version");
  }

  @Test
  void roles_mayDoWhatTheyAreFor() throws SQLException {
    try (TestRoles roles = new TestRoles()) {
      String schema = roles.schema().name();
      for (String role : List.of("worker", "operator", "viewer", "producer")) {
        var findings = Doctor.on(roles.user(role), roles.schema()).examine();
        assertThat(only(findings, "grants").sentence()).endsWith("may do what a " + role + " does");
        assertThat(only(findings, "grants").severity()).isEqualTo(Severity.OK);
      }
      roles
          .db()
          .execute(
              "revoke execute on function %1$s.explain(uuid, text) from %1$s_viewer; revoke select on %1$s.duty from %1$s_viewer"
                  .formatted(schema));
      var lacking = Doctor.on(roles.user("viewer"), roles.schema()).examine();
      assertAttention(
          only(lacking, "grants"), "_viewer and lacks 2 of its rights", "dibs migrate --roles");
      assertThat(only(lacking, "grants").evidence())
          .containsExactly("select on duty", "execute on explain(uuid, text)");
      roles.db().execute("revoke %1$s_viewer from %1$s_user2".formatted(schema));
      assertThat(only(lacking, "duties").severity()).isEqualTo(Severity.UNKNOWN);
      assertThat(only(lacking, "duties").sentence())
          .isEqualTo("could not check whether duties are done: this role may not");
      assertThat(only(lacking, "duties").cure()).startsWith("grant " + schema + "_viewer");
    }
  }

  /** As after a migration without {@code --roles}. */
  @Test
  void aFunctionThatARoleWasNotYetGranted_isTold() throws SQLException {
    try (TestRoles roles = new TestRoles()) {
      String schema = roles.schema().name();
      roles
          .db()
          .execute(
              """
              revoke execute on function %1$s.pause_schedule, %1$s.step_bulk, %1$s.retain_queue from %1$s_operator;
              revoke execute on function %1$s.enqueue_rows from %1$s_producer;
              revoke execute on function %1$s.prune_audit from %1$s_worker\
              """
                  .formatted(schema));
      Map<String, List<String>> lacking =
          Map.of(
              "operator",
              List.of(
                  "execute on retain_queue", "execute on pause_schedule", "execute on step_bulk"),
              "producer",
              List.of("execute on enqueue_rows"),
              "worker",
              List.of("execute on prune_audit"));
      for (var each : lacking.entrySet()) {
        Finding grants =
            only(Doctor.on(roles.user(each.getKey()), roles.schema()).examine(), "grants");
        assertAttention(grants, "lacks", "dibs migrate --roles");
        assertThat(grants.evidence()).containsExactlyElementsOf(each.getValue());
      }
    }
  }

  @Test
  void aRoleWithoutAnyRight_isTold() throws SQLException {
    try (TestRoles roles = new TestRoles()) {
      String schema = roles.schema().name();
      var user = roles.user("viewer");
      roles.db().execute("revoke %1$s_viewer from %1$s_user0".formatted(schema));
      var findings = Doctor.on(user, roles.schema()).examine();
      assertAttention(
          only(findings, "grants"),
          schema + "_user0 may not even look",
          "grant " + schema + "_viewer to");
    }
  }

  @Test
  void aClockThatIsAhead_isNoted() {
    TestClock clock = TestClock.in(db);
    clock.step(ofSeconds(90));
    Finding ahead = finding("clock");
    assertThat(ahead.severity()).isEqualTo(Severity.NOTE);
    assertThat(ahead.sentence())
        .matches("the database's clock is 1 min (2\\d|30) s ahead of this machine's");
    clock.step(Duration.ofMinutes(-3));
    assertThat(finding("clock").sentence()).contains("behind this machine's");
  }

  @Test
  void aProducerWhoseClockIsAhead_isNoted() {
    assertOk("producers-clock");
    db.execute(
        "insert into dibs.task (id, kind, created_at) values (dibs.uuid7(), 'k', now() - interval '60.5 s')");
    assertThat(finding("producers-clock").severity()).isEqualTo(Severity.NOTE);
    assertThat(finding("producers-clock").sentence()).contains("is 1 min 0 s ahead");
  }

  @Test
  void aDatabaseThatTakesNoWrites_isFound() {
    db.execute(
        "do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$");
    assertAttention(finding("writable"), "transactions are read-only by default", "alter database");
  }

  @Test
  void aDoctorThatItselfOnlyReads_takesThatForNoIllness() {
    try (var pool = new HikariDataSource()) {
      pool.setJdbcUrl(db.url());
      pool.setMaximumPoolSize(1);
      pool.setConnectionInitSql("set default_transaction_read_only = on");
      assertThat(only(Doctor.on(pool).examine(), "writable").severity()).isEqualTo(Severity.OK);
    }
  }

  /** A pool lets one wait for half a minute. */
  @Test
  @Timeout(15)
  void aPoolOfOne_leavesOneCheckOpenAndDelaysNone() {
    try (var pool = new HikariDataSource()) {
      pool.setJdbcUrl(db.url());
      pool.setMaximumPoolSize(1);
      Finding pooler = only(Doctor.on(pool).examine(), "pooler");
      assertThat(pooler.severity()).isEqualTo(Severity.UNKNOWN);
      assertThat(pooler.sentence()).contains("two connections at once were not to be had");
      assertThat(pooler.cure()).isEqualTo("let the pool have two connections");
    }
  }

  @Test
  void whatHoldsDeadRows_isNamed() throws SQLException {
    try (Connection other = db.connect()) {
      other.setAutoCommit(false);
      other.createStatement().execute("set application_name = 'etl'");
      other.createStatement().execute("create table held (n int)");
      Finding held = finding(AT_ONCE, "held-snapshot");
      assertAttention(held, "(etl of ", "select pg_terminate_backend(");
      assertThat(finding(AT_ONCE, "idle-in-transaction").evidence())
          .anyMatch(line -> line.contains("(etl of "));
      assertThat(finding("idle-in-transaction").severity()).isEqualTo(Severity.OK);
      other.rollback();
    }
    await()
        .atMost(ofSeconds(10))
        .until(() -> finding(AT_ONCE, "idle-in-transaction").severity() == Severity.OK);
  }

  @Test
  void aRoleThatMayNotSeeOthers_isToldWhatWouldAllowIt() throws SQLException {
    try (TestRoles roles = new TestRoles();
        Connection other = roles.db().connect()) {
      other.setAutoCommit(false);
      other.createStatement().execute("create table held (n int)");
      var findings = Doctor.on(roles.user("viewer"), roles.schema()).examine();
      for (String check : List.of("held-snapshot", "idle-in-transaction")) {
        assertThat(only(findings, check).severity()).isEqualTo(Severity.UNKNOWN);
        assertThat(only(findings, check).cure()).isEqualTo("grant pg_read_all_stats to this role");
      }
      other.rollback();
    }
  }

  @Test
  void aLiveTableThatIsNotVacuumed_isFound() {
    db.execute("alter table dibs.task set (autovacuum_enabled = off)");
    assertAttention(finding("autovacuum"), "autovacuum_enabled=off", "reset (autovacuum_enabled)");
    db.execute("alter table dibs.task reset (autovacuum_enabled, autovacuum_vacuum_scale_factor)");
    assertThat(finding("autovacuum").severity()).isEqualTo(Severity.NOTE);
  }

  @Test
  void deadRows_areCounted() {
    db.execute("alter table dibs.task set (autovacuum_enabled = off)");
    db.execute(
        "insert into dibs.task (id, kind) select gen_random_uuid(), 'k' from generate_series(1, 500)");
    db.execute("delete from dibs.task");
    var few =
        new Thresholds(
            ofSeconds(900), ofSeconds(300), ofSeconds(60), ofSeconds(2), ofSeconds(60), 500, 85, 1);
    await()
        .atMost(ofSeconds(20))
        .until(() -> finding(few, "dead-rows").severity() == Severity.ATTENTION);
    assertAttention(finding(few, "dead-rows"), "the live table has 500 dead rows", "vacuum");
    assertThat(finding(few, "dead-rows").evidence()).containsExactly("never vacuumed yet");
    assertOk("dead-rows");
    assertAttention(finding(few, "transaction-ids"), "transactions old", "vacuum freeze");
    assertOk("transaction-ids");
  }

  @Test
  void connectionsThatAreTaken_areFound() {
    var one =
        new Thresholds(
            ofSeconds(900), ofSeconds(300), ofSeconds(60), ofSeconds(2), ofSeconds(60), 1, 1, 1);
    List<Connection> open = List.of(db.connect(), db.connect(), db.connect(), db.connect());
    try {
      assertAttention(finding(one, "connections"), "connections are taken", "max_connections");
    } finally {
      for (Connection connection : open) close(connection);
    }
  }

  private static void close(Connection connection) {
    try {
      connection.close();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void historyWithoutAPartition_isFound() {
    assertOk("history-partitions");
    db.execute(
        "do $$ begin execute 'drop table dibs.task_history_' || to_char((now() at time zone 'UTC')::date + 1, 'YYYYMMDD'); end $$");
    assertAttention(
        finding("history-partitions"),
        "no partition for "
            + db.value("select to_char((now() at time zone 'UTC')::date + 1, 'YYYY-MM-DD')"),
        "create_history_partitions(3)");
    db.execute(
        "insert into dibs.task_history (id, created_at, run_at, finished_at, status, priority, attempt, failures, losses, max_attempts, queue, kind, payload)"
            + " values (gen_random_uuid(), now(), now(), now() + interval '400 days', 'DEAD', 3, 1, 0, 0, 25, 'q', 'k', '{}')");
    await()
        .atMost(ofSeconds(20))
        .until(() -> finding("default-partition").severity() == Severity.NOTE);
    assertThat(finding("default-partition").sentence()).startsWith("1 rows of history");
  }

  @Test
  void historyThatIsNotPruned_isFound() {
    assertOk("history-pruned");
    db.execute(
        "create table dibs.task_history_20200101 partition of dibs.task_history for values from ('2020-01-01Z') to ('2020-01-02Z')");
    assertAttention(
        finding("history-pruned"), "the partition of 20200101 should be gone", "prune_history()");
  }

  @Test
  void aQueueThatNobodyServes_isFoundUnlessItIsPaused() {
    db.execute(
        "insert into dibs.task (id, queue, kind, run_at) select gen_random_uuid(), 'mail', 'send', now() - interval '10 minutes' from generate_series(1, 5)");
    db.execute("insert into dibs.task (id, queue, kind) values (gen_random_uuid(), 'new', 'send')");
    Finding unserved = finding("unserved-queues");
    assertAttention(unserved, "that no live worker serves: 'mail' for 10 min", "start a worker");
    assertThat(unserved.evidence()).hasSize(1);
    assertThat(finding("paused").severity()).isEqualTo(Severity.OK);
    db.execute(
        "insert into dibs.queue (name, paused_at, paused_by, paused_why) values ('mail', now() - interval '3 hours', 'ana', 'INC-204')");
    assertOk("unserved-queues");
    Finding paused = finding("paused");
    assertThat(paused.severity()).isEqualTo(Severity.NOTE);
    assertThat(paused.sentence())
        .isEqualTo("queue 'mail' has been paused for 3 h 0 min by ana: INC-204");
    db.execute("delete from dibs.queue");
    worker("mail", "send");
    assertOk("unserved-queues");
    assertOk("workers");
  }

  @Test
  void aKindThatNobodyKnows_isFound() {
    db.execute(
        "insert into dibs.task (id, queue, kind) select gen_random_uuid(), 'mail', case when n % 50 = 0 then 'odd' else 'send' end from generate_series(1, 300) n");
    worker("mail", "send");
    Finding unknown = finding("unknown-kinds");
    assertAttention(unknown, "no worker of their queue knows: 'odd' in queue 'mail'", "deploy");
    assertThat(unknown.evidence()).hasSize(1);
    worker("mail", "odd");
    assertOk("unknown-kinds");
  }

  @Test
  void tasksOfWorkersThatAreGone_areFound() {
    worker("mail", "send");
    db.execute(
        "insert into dibs.task (id, queue, kind) select gen_random_uuid(), 'mail', 'send' from generate_series(1, 3)");
    db.execute("select dibs.claim(id, '{mail}', '{send}', 2) from dibs.worker");
    assertOk("stuck-tasks");
    db.execute("update dibs.worker set lease_until = now() - interval '10 minutes'");
    assertAttention(
        finding("stuck-tasks"), "nobody rescues them: 2 tasks of worker", "start a worker");
    db.execute(
        "update dibs.task set claimed_at = now() - interval '5 minutes' where lease is not null");
    db.execute("delete from dibs.worker");
    assertThat(finding("stuck-tasks").sentence()).contains("on no row, silent for 5 min");
  }

  @Test
  void tasksAndDutiesThatAreLate_areFound() {
    assertOk("overdue-tasks");
    assertOk("duties");
    db.execute(
        "insert into dibs.task (id, kind, status, run_at) select gen_random_uuid(), 'k', 'SCHEDULED', now() - interval '10 minutes' from generate_series(1, 7)");
    assertAttention(
        finding("overdue-tasks"), "7 scheduled tasks are due and nobody", "start a worker");
    db.execute("update dibs.duty set next_run_at = now() - interval '2 days' where name = 'prune'");
    assertAttention(finding("duties"), "a duty is late: prune by 2 d 0 h", "start a worker");
  }

  @Test
  void aPooler_isNoted() throws Exception {
    try (Pgbouncer pooler = new Pgbouncer(db.url())) {
      var pooled = new PGSimpleDataSource();
      pooled.setUrl(pooler.url());
      List<Finding> findings = Doctor.on(pooled).examine();
      assertThat(only(findings, "pooler").severity()).isEqualTo(Severity.NOTE);
      assertThat(only(findings, "pooler").sentence()).contains("nothing is heard by LISTEN");
      assertThat(only(findings, "duties").severity()).isEqualTo(Severity.OK);
    }
    assertOk("pooler");
  }

  /** The planner knows nothing of the table; read as a whole it would be a page for every look. */
  @Test
  void whatIsLookedForAmongTasks_isFoundByIndexAlone() throws SQLException {
    db.execute("alter table dibs.task set (autovacuum_enabled = off)");
    db.execute(
        "insert into dibs.task (id, queue, kind, priority) select gen_random_uuid(), 'q' || n % 40, 'k' || n % 7, 1 + n / 40 % 4 from generate_series(1, 60000) n");
    db.value(
        "select dibs.register('h', 1, array(select 'q' || n from generate_series(0, 38) n), '{k0}')");
    var queues = new CheckQueues(Schema.DEFAULT);
    try (Connection connection = db.connect()) {
      long[] read =
          ShortLook.take(
              connection,
              ofSeconds(20),
              look -> {
                assertThat(queues.unserved(look)).hasSize(1);
                assertThat(queues.unknownKinds(look)).hasSize(10);
                assertThat(queues.silentHolders(look, ofSeconds(1))).isEmpty();
                assertThat(queues.overdue(look, ofSeconds(1)).tasks()).isZero();
                assertThat(queues.producersAhead(look)).isEmpty();
                try (var statement = look.createStatement();
                    var rows =
                        statement.executeQuery(
                            "select pg_stat_get_xact_numscans('dibs.task'::regclass), sum(pg_stat_get_xact_tuples_fetched(indexrelid)) from pg_index where indrelid = 'dibs.task'::regclass")) {
                  rows.next();
                  return new long[] {rows.getLong(1), rows.getLong(2)};
                }
              });
      assertThat(read[0]).as("reads of the whole table").isZero();
      assertThat(read[1]).as("rows read").isBetween(16_000L, 18_000L);
    }
  }

  /** A table that is locked, as by a migration, costs the checks that need it and no other. */
  @Test
  void aLockedTable_costsOnlyWhatNeedsIt() throws SQLException {
    try (Connection other = db.connect()) {
      other.setAutoCommit(false);
      other.createStatement().execute("lock table dibs.duty in access exclusive mode");
      long before = System.nanoTime();
      List<Finding> findings = Doctor.on(db.dataSource()).examine();
      assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(ofSeconds(10));
      assertThat(only(findings, "duties").severity()).isEqualTo(Severity.UNKNOWN);
      assertThat(only(findings, "duties").sentence())
          .endsWith("somebody holds a lock on the table");
      assertThat(only(findings, "stuck-tasks").severity()).isEqualTo(Severity.OK);
      other.rollback();
    }
  }

  @Test
  void checks_takeAShortTimeEach() throws SQLException {
    try (Connection connection = db.connect()) {
      var slow =
          new Check(
              "slow",
              "a thing",
              "",
              (c, name) -> {
                c.createStatement().execute("select pg_sleep(60)");
                return Finding.ok(name, "");
              });
      Finding finding = slow.make(connection, ofMillis(50));
      assertThat(finding.sentence()).isEqualTo("could not check a thing: it took too long");
      assertThat(slow.make(connection, Duration.ZERO).sentence())
          .isEqualTo("could not check a thing: the time for all checks was over");
      assertThat(connection.getAutoCommit()).isTrue();
    }
  }

  @Test
  void aDatabaseThatIsAway_isSaid() {
    var nowhere = new PGSimpleDataSource();
    nowhere.setUrl("jdbc:postgresql://127.0.0.1:1/none");
    assertThatThrownBy(() -> Doctor.on(nowhere, Schema.DEFAULT).examine())
        .isInstanceOf(DatabaseException.class)
        .hasMessageStartingWith("the database cannot be examined");
  }

  @Test
  void thresholds_areRefusedWhenTheyCannotBeMeant() {
    assertThatThrownBy(() ->
            new Thresholds(
                ofSeconds(-1), Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO, 1, 1, 1))
        .hasMessageContaining("must not be negative, was PT-1S");
    assertThatThrownBy(() ->
            new Thresholds(
                Duration.ZERO,
                Duration.ZERO,
                Duration.ZERO,
                Duration.ZERO,
                Duration.ZERO,
                1,
                101,
                1))
        .hasMessageContaining("1 to 100 percent; were 1, 1, 101");
  }
}
