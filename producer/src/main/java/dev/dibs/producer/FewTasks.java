package dev.dibs.producer;

import dev.dibs.UniqueScope;
import dev.dibs.sql.InsertTasks;
import dev.dibs.sql.InsertUniqueTasks.Landed;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * Tasks that go in by one INSERT, and those that are unique by a second one; all by one call of a
 * function where the user may not insert.
 */
final class FewTasks implements Inlet.Load {
  private final Inserts inserts;
  private final List<InsertTasks.Row> rows;
  private final List<InsertTasks.Row> plain = new ArrayList<>();
  private final List<InsertTasks.Row> unique = new ArrayList<>();

  FewTasks(Inserts inserts, List<InsertTasks.Row> rows) {
    this.inserts = inserts;
    this.rows = rows;
    for (InsertTasks.Row row : rows) (row.options().unique().isEmpty() ? plain : unique).add(row);
  }

  @Override
  public Landings put(Connection connection) throws SQLException {
    if (!unique.isEmpty() && connection.getAutoCommit() && !isOneStep())
      return OneCommit.of(connection, () -> putAll(connection));
    return putAll(connection);
  }

  private Landings putAll(Connection connection) throws SQLException {
    try {
      return inserts.wayIn().isByTable(connection)
          ? insert(connection)
          : inserts.call(connection, rows);
    } catch (SQLException e) {
      inserts.wayIn().learn(e);
      throw e;
    }
  }

  private Landings insert(Connection connection) throws SQLException {
    if (unique.isEmpty()) return Landings.of(inserts.plain().insert(connection, plain));
    Set<UUID> inserted = plain.isEmpty() ? Set.of() : inserts.plain().insert(connection, plain);
    Map<UUID, Landed> landed = inserts.unique().insert(connection, unique);
    return Landings.of(inserted, landed);
  }

  /** Whether each statement for them leaves nothing half done. */
  private boolean isOneStep() {
    return plain.isEmpty()
        && unique.size() == 1
        && !(unique.getFirst().options().unique().orElseThrow().scope()
            instanceof UniqueScope.Window);
  }

  @Override
  public Landings putAlone(Connection connection) throws SQLException {
    if (!unique.isEmpty() || !inserts.wayIn().isByTable(connection)) return put(connection);
    try {
      return Landings.of(inserts.plain().insertAlone(connection, plain));
    } catch (SQLException e) {
      inserts.wayIn().learn(e);
      throw e;
    }
  }

  @Override
  public Landings putAgain(Connection connection) throws SQLException {
    return inserts.wayIn().isByTable(connection)
        ? inserts.withoutEnded(connection, put(connection))
        : inserts.callAgain(connection, rows);
  }
}
