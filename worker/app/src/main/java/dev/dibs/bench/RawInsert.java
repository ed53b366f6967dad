package dev.dibs.bench;

import dev.dibs.Json;
import dev.dibs.NewTask;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.util.List;
import org.postgresql.PGConnection;

/** The limit of an enqueue: the same rows, with ids of the same shape, by plain JDBC. */
final class RawInsert {
  private RawInsert() {}

  /** So many rows, a statement and a commit each. */
  static boolean single(BenchDatabase db, Connection connection, int count) throws Exception {
    String sql =
        db.inSchema("insert into $task (id, queue, kind, payload) values (?, ?, ?, ?::jsonb)");
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      for (int n = 0; n < count; n++) {
        NewTask<Json> task = Tasks.task(n);
        insert.setObject(1, task.id());
        insert.setString(2, BenchDatabase.QUEUE);
        insert.setString(3, task.kind().name());
        insert.setString(4, task.payload().text());
        insert.executeUpdate();
      }
    }
    return true;
  }

  /** The text that COPY reads. */
  static String rows(List<NewTask<?>> tasks) {
    var rows = new StringBuilder();
    for (NewTask<?> task : tasks) {
      rows.append(task.id()).append('\t').append(BenchDatabase.QUEUE).append('\t');
      rows.append(task.kind().name()).append('\t');
      rows.append(((Json) task.payload()).text()).append('\n');
    }
    return rows.toString();
  }

  /** All rows by one COPY. */
  static long copy(BenchDatabase db, Connection connection, String rows) throws Exception {
    String sql = db.inSchema("copy $task (id, queue, kind, payload) from stdin");
    var copy = connection.unwrap(PGConnection.class).getCopyAPI();
    return copy.copyIn(sql, new StringReader(rows));
  }
}
