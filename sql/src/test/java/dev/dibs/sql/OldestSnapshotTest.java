package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.sql.OldestSnapshot.Holder;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OldestSnapshotTest {
  private final OldestSnapshot oldest = new OldestSnapshot(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connect();

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  private Optional<Holder> holder() throws SQLException {
    return oldest.look(connection).holder();
  }

  private static long open(Connection other, String... statements) throws SQLException {
    other.setAutoCommit(false);
    try (var statement = other.createStatement()) {
      statement.execute("set application_name = 'report'");
      for (String sql : statements) statement.execute(sql);
      try (var row = statement.executeQuery("select pg_backend_pid()")) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  @Test
  void aSessionThatHoldsASnapshot_isNamedWithItsAge() throws SQLException {
    try (Connection other = db.connect()) {
      other.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      long pid = open(other);
      Holder found = holder().orElseThrow();
      assertThat(found.who())
          .startsWith("process " + pid + " (report of ")
          .endsWith(", idle in transaction)");
      assertThat(found.age().orElseThrow()).isBetween(Duration.ZERO, Duration.ofMinutes(1));
      db.execute("create table moved (n int)");
      assertThat(holder().orElseThrow().xid()).isEqualTo(found.xid());
    }
  }

  /** It shows no snapshot between its statements, and yet nothing after its first write can go. */
  @Test
  void aSessionThatWroteAndIdles_isFoundToo() throws SQLException {
    try (Connection other = db.connect()) {
      other.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      long pid = open(other, "create table half (n int)");
      assertThat(holder().orElseThrow().who()).startsWith("process " + pid + " (report");
    }
  }

  @Test
  void aSessionOfAnotherDatabase_holdsUpNothingHere() throws SQLException {
    try (TestDatabase another = TestDatabase.create();
        Connection other = another.connect()) {
      other.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      long pid = open(other);
      assertThat(holder().map(Holder::who).filter(who -> who.contains(" " + pid + " "))).isEmpty();
    }
  }

  @Test
  void aRoleThatMaySeeLess_learnsWhoAndNotSinceWhen() throws SQLException {
    String role = "dibs_viewer_" + ProcessHandle.current().pid();
    db.execute("create role " + role);
    try (Connection other = db.connect();
        var statement = connection.createStatement()) {
      db.execute("grant usage on schema dibs to " + role);
      other.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      long pid = open(other);
      statement.execute("set role " + role);
      Holder found = holder().orElseThrow();
      assertThat(found.who()).startsWith("process " + pid + " (report of ").endsWith(")");
      assertThat(found.who()).doesNotContain("idle");
      assertThat(found.age()).isEmpty();
      statement.execute("reset role");
      statement.execute("grant pg_read_all_stats to " + role);
      statement.execute("set role " + role);
      assertThat(holder().orElseThrow().age()).isPresent();
      statement.execute("reset role");
    } finally {
      db.execute("drop owned by " + role);
      db.execute("drop role " + role);
    }
  }

  @Test
  void deadRows_areThoseOfTheLiveTable() {
    db.execute(
        "insert into dibs.task (id, kind) select gen_random_uuid(), 'k' from generate_series(1, 300)");
    db.execute("update dibs.task set attempt = 1");
    await().until(() -> oldest.look(connection).deadRows() == 300);
  }
}
