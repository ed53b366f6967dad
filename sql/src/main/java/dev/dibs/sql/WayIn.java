package dev.dibs.sql;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The way in that the users of connections have: into the table, or by the function {@link
 * EnqueueTasks} calls.
 *
 * <p>Asked once a user, by the name he logged in with, which the driver knows; from then on it
 * costs no round trip. Thread-safe.
 */
public final class WayIn {
  private static final String INSUFFICIENT_PRIVILEGE = "42501";

  /** A schema that is not there is no question of rights: the insert will say so. */
  private static final String RIGHTS =
      """
      select current_user, coalesce(has_any_column_privilege(to_regclass(?), 'insert'), true),
        exists (select from pg_proc p where p.pronamespace = to_regnamespace(?) and p.proname = 'enqueue_rows'
          and has_function_privilege(p.oid, 'execute'))\
      """;

  private final Schema schema;
  private final Map<String, Boolean> byTable = new ConcurrentHashMap<>();

  public WayIn(Schema schema) {
    this.schema = schema;
  }

  /**
   * Whether the user of {@code connection} may insert; else he may call the function.
   *
   * @throws SQLException of state 42501 if he may do neither; the transaction is as it was
   */
  public boolean isByTable(Connection connection) throws SQLException {
    String user = user(connection);
    @Nullable Boolean known = byTable.get(user);
    if (known != null) return known;
    boolean asked = ask(connection);
    byTable.put(user, asked);
    return asked;
  }

  private static String user(Connection connection) throws SQLException {
    @Nullable String user = connection.getMetaData().getUserName();
    return user == null ? "" : user;
  }

  private boolean ask(Connection connection) throws SQLException {
    try (var statement = connection.prepareStatement(RIGHTS)) {
      statement.setString(1, "\"%s\".task".formatted(schema.name()));
      statement.setString(2, "\"%s\"".formatted(schema.name()));
      try (var rights = statement.executeQuery()) {
        rights.next();
        if (!rights.getBoolean(2) && !rights.getBoolean(3))
          throw new SQLException(
              "user '%s' may neither insert into %2$s.task nor call %2$s.enqueue_rows; grant him %2$s_producer, which `dibs migrate --roles` creates"
                  .formatted(rights.getString(1), schema.name()),
              INSUFFICIENT_PRIVILEGE);
        return rights.getBoolean(2);
      }
    }
  }

  /** Asks again next time, if {@code e} says that a right was missing after all. */
  public void learn(SQLException e) {
    if (INSUFFICIENT_PRIVILEGE.equals(e.getSQLState())) byTable.clear();
  }
}
