package dev.dibs.sql;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;

/**
 * Tells listening workers that queues have work: NOTIFY with the queue's name and nothing else.
 *
 * <p>Inside a transaction it is heard when that commits; commits that notify wait for each other.
 * Thread-safe.
 */
public final class Bell {
  private final Schema schema;

  public Bell(Schema schema) {
    this.schema = schema;
  }

  /** Rings for {@code queues}, in the transaction of {@code connection}. */
  public void ring(Connection connection, Collection<String> queues) throws SQLException {
    if (queues.isEmpty()) return;
    try (var statement =
        connection.prepareStatement("select pg_notify(?, queue) from unnest(?::text[]) queue")) {
      statement.setString(1, schema.channel());
      statement.setArray(2, connection.createArrayOf("text", queues.toArray()));
      statement.executeQuery().close();
    }
  }

  /** Starts to listen on {@code connection}, for as long as it is open. */
  public void listen(Connection connection) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute("listen \"" + schema.channel() + "\"");
    }
  }
}
