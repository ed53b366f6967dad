package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class VacuumTaskTest {
  private static final long ANY_SIZE = Long.MAX_VALUE;

  private final VacuumTask vacuum = new VacuumTask(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connect();

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  private void leaveDeadRows() {
    db.execute(
        "insert into dibs.task (id, kind) select gen_random_uuid(), 'k' from generate_series(1, 500)");
    db.execute("delete from dibs.task");
    // A session counts when it ends, which may be after the next one began.
    await()
        .until(() ->
            db.number(
                    "select n_dead_tup from pg_stat_all_tables where relid = 'dibs.task'::regclass")
                == 500);
  }

  @Test
  void vacuum_removesDeadRows() throws SQLException {
    leaveDeadRows();
    assertThat(vacuum.vacuum(connection, ANY_SIZE))
        .hasValueSatisfying(left -> assertThat(left.deadRows()).isZero());
  }

  @Test
  void vacuum_namesTheSessionWhoseSnapshotMakesItUseless() throws SQLException {
    try (Connection old = db.connect();
        var statement = old.createStatement()) {
      old.setAutoCommit(false);
      old.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      long pid;
      try (var row = statement.executeQuery("select pg_backend_pid()")) {
        row.next();
        pid = row.getLong(1);
      }
      leaveDeadRows();

      var left = vacuum.vacuum(connection, ANY_SIZE).orElseThrow();
      assertThat(left.deadRows()).isEqualTo(500);
      assertThat(left.oldest().orElseThrow().who())
          .startsWith("process " + pid + " (")
          .endsWith("idle in transaction)");
    }
  }

  @Test
  void vacuum_isLeftToAutovacuumOnALargeTable() throws SQLException {
    leaveDeadRows();
    assertThat(vacuum.vacuum(connection, 8192)).isEmpty();
  }

  @Test
  void vacuum_isNotTriedByARoleThatMayNot() throws SQLException {
    String role = "dibs_guest_" + ProcessHandle.current().pid();
    db.execute("create role " + role);
    db.execute("grant usage on schema dibs to " + role);
    leaveDeadRows();
    try (var statement = connection.createStatement()) {
      statement.execute("set role " + role);
      assertThat(vacuum.vacuum(connection, ANY_SIZE)).isEmpty();
      assertThat(statement.getWarnings() == null).isTrue();
      statement.execute("reset role");
    } finally {
      db.execute("drop owned by " + role);
      db.execute("drop role " + role);
    }
  }
}
