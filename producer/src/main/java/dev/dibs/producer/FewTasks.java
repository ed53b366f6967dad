package dev.dibs.producer;

import dev.dibs.sql.InsertTasks;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** Tasks that go in by one INSERT. */
record FewTasks(InsertTasks insert, List<InsertTasks.Row> rows) implements Inlet.Load {
  @Override
  public Set<UUID> put(Connection connection) throws SQLException {
    return insert.insert(connection, rows);
  }

  @Override
  public Set<UUID> putAlone(Connection connection) throws SQLException {
    return insert.insertAlone(connection, rows);
  }
}
