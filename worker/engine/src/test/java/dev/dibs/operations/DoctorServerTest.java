package dev.dibs.operations;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.operations.Doctor.Thresholds;
import dev.dibs.operations.Finding.Severity;
import dev.dibs.sql.Migrations;
import dev.dibs.sql.Schema;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Properties;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;
import org.postgresql.copy.CopyDual;
import org.postgresql.core.BaseConnection;

/** What belongs to all of a server is made true on a server that no other test uses. */
@Timeout(60)
class DoctorServerTest {
  private static final Thresholds AT_ONCE =
      new Thresholds(
          Duration.ZERO,
          Duration.ZERO,
          ofSeconds(60),
          ofSeconds(2),
          ofMillis(1),
          200_000,
          85,
          1_000_000_000);

  private final EmbeddedPostgres server;

  DoctorServerTest() throws IOException {
    server =
        EmbeddedPostgres.builder()
            .setServerConfig("max_prepared_transactions", "5")
            .setServerConfig("full_page_writes", "off")
            .setPGStartupWait(Duration.ofSeconds(60))
            .start();
    Migrations.migrate(server.getPostgresDatabase(), Schema.DEFAULT);
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  private Finding finding(String check) {
    return Doctor.on(server.getPostgresDatabase()).withThresholds(AT_ONCE).examine().stream()
        .filter(finding -> finding.check().equals(check))
        .findFirst()
        .orElseThrow();
  }

  private void execute(String... statements) throws SQLException {
    try (Connection connection = server.getPostgresDatabase().getConnection();
        var statement = connection.createStatement()) {
      for (String sql : statements) statement.execute(sql);
    }
  }

  private String value(String sql) throws SQLException {
    try (Connection connection = server.getPostgresDatabase().getConnection();
        var rows = connection.createStatement().executeQuery(sql)) {
      rows.next();
      return rows.getString(1);
    }
  }

  @Test
  void whatBelongsToTheServer_isFound() throws Exception {
    assertThat(finding("durability").sentence()).contains("full_page_writes = off");

    assertThat(finding("prepared-transactions").severity()).isEqualTo(Severity.OK);
    execute("begin", "create table left_behind (n int)", "prepare transaction 'order 7'");
    Finding prepared = finding("prepared-transactions");
    assertThat(prepared.severity()).isEqualTo(Severity.ATTENTION);
    assertThat(prepared.sentence()).contains("were never ended, order 7 of postgres for");
    assertThat(finding("held-snapshot").sentence())
        .startsWith("prepared transaction order 7 has held a snapshot for");
    execute("rollback prepared 'order 7'");
    assertThat(finding("prepared-transactions").severity()).isEqualTo(Severity.OK);

    execute("alter system set autovacuum = off", "select pg_reload_conf()");
    await()
        .atMost(ofSeconds(10))
        .until(() -> finding("autovacuum").severity() == Severity.ATTENTION);
    assertThat(finding("autovacuum").sentence()).endsWith(": autovacuum = off");

    assertThat(finding("replication").severity()).isEqualTo(Severity.OK);
    execute("alter system set synchronous_standby_names = 'other'", "select pg_reload_conf()");
    await()
        .atMost(ofSeconds(10))
        .until(() -> finding("replication").severity() == Severity.ATTENTION);
    assertThat(finding("replication").sentence())
        .isEqualTo(
            "commits wait for a standby, and none is there: synchronous_standby_names = other");
    execute("alter system reset synchronous_standby_names", "select pg_reload_conf()");
    await().atMost(ofSeconds(10)).until(() -> finding("replication").severity() == Severity.OK);

    assertThat(finding("replication-slots").severity()).isEqualTo(Severity.OK);
    execute("select pg_create_physical_replication_slot('standby', true)");
    assertThat(finding("replication-slots").severity()).isEqualTo(Severity.NOTE);
    assertThat(finding("replication-slots").sentence())
        .startsWith("a replication slot keeps WAL for nobody: standby, not in use");
    beAStandbyThatReadsAndFallsBehind();
    Finding slot = finding("replication-slots");
    assertThat(slot.severity()).isEqualTo(Severity.ATTENTION);
    assertThat(slot.sentence())
        .startsWith("a replication slot keeps dead tasks from being removed: standby, not in use");
    assertThat(slot.cure()).contains("pg_drop_replication_slot");
    assertThat(finding("held-snapshot").sentence()).contains("replication slot standby");
  }

  /** A standby that says which rows its queries still see, and then nothing any more. */
  private void beAStandbyThatReadsAndFallsBehind() throws Exception {
    var properties = new Properties();
    PGProperty.USER.set(properties, "postgres");
    PGProperty.REPLICATION.set(properties, "true");
    PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
    PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "15");
    PGProperty.APPLICATION_NAME.set(properties, "late-standby");
    int xmin = Integer.parseInt(value("select pg_current_xact_id()"));
    String start = value("select pg_current_wal_flush_lsn()");
    try (Connection connection =
        DriverManager.getConnection(server.getJdbcUrl("postgres", "postgres"), properties)) {
      CopyDual copy =
          connection
              .unwrap(BaseConnection.class)
              .getCopyAPI()
              .copyDual("START_REPLICATION SLOT standby PHYSICAL " + start);
      send(copy, status());
      send(copy, feedback(xmin));
      await()
          .atMost(ofSeconds(10))
          .until(() -> "t".equals(value("select xmin is not null from pg_replication_slots")));
      execute("create table more (n int)");
      await()
          .atMost(ofSeconds(10))
          .until(() -> finding("replication").severity() == Severity.ATTENTION);
      assertThat(finding("replication").sentence()).startsWith("a standby is behind: late-standby");
      assertThat(connection.unwrap(PGConnection.class).getBackendPID()).isPositive();
    }
    await()
        .atMost(ofSeconds(10))
        .until(() -> "f".equals(value("select active from pg_replication_slots")));
  }

  private static void send(CopyDual copy, byte[] message) throws SQLException {
    copy.writeToCopy(message, 0, message.length);
    copy.flushCopy();
  }

  /** Standby status update: written, flushed and applied up to the first byte; no answer wanted. */
  private static byte[] status() {
    byte[] message = new byte[34];
    ByteBuffer.wrap(message).put((byte) 'r').putLong(1).putLong(1).putLong(1).putLong(now());
    return message;
  }

  /** Hot standby feedback: the oldest transaction that a query there may still see. */
  private static byte[] feedback(int xmin) {
    byte[] message = new byte[25];
    ByteBuffer.wrap(message).put((byte) 'h').putLong(now()).putInt(xmin);
    return message;
  }

  /** As the protocol has it: microseconds since 2000. */
  private static long now() {
    return ChronoUnit.MICROS.between(Instant.parse("2000-01-01T00:00:00Z"), Instant.now());
  }
}
