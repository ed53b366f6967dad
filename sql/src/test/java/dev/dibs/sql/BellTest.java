package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;

@Timeout(30)
class BellTest {
  private final Bell bell = new Bell(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();

  @AfterEach
  void drop() {
    db.close();
  }

  @Test
  void ringAlone_isHeardAndLeavesTheConnectionAsDurableAsItWas() throws SQLException {
    try (Connection listener = db.connect();
        Connection connection = db.connect()) {
      connection.createStatement().execute("set synchronous_commit = 'local'");
      bell.listen(listener);
      bell.ringAlone(connection, List.of("a", "b"));
      var heard = listener.unwrap(PGConnection.class).getNotifications(20_000);
      assertThat(heard).extracting(ring -> ring.getParameter()).containsExactly("a", "b");
      try (var rows = connection.createStatement().executeQuery("show synchronous_commit")) {
        rows.next();
        assertThat(rows.getString(1)).isEqualTo("local");
      }
    }
  }
}
