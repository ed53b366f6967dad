package dev.dibs.app;

import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.Text;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import java.util.TreeSet;

/**
 * The kinds that live workers announced, against the typo that waits in a queue for ever. Owned by
 * one thread.
 *
 * <p>One statement over the small worker table, once a command.
 */
final class KnownKinds {
  private static final int SHOWN = 200;
  private static final String INSUFFICIENT_PRIVILEGE = "42501";

  private final Set<String> known;
  private final boolean anyKind;
  private final Shell shell;
  private boolean told;

  private KnownKinds(Set<String> known, boolean anyKind, boolean told, Shell shell) {
    this.known = known;
    this.anyKind = anyKind;
    this.told = told;
    this.shell = shell;
  }

  /**
   * Reads what workers announce now. Who may not, for he only enqueues, is told once if he cares.
   */
  static KnownKinds read(Connection connection, Schema schema, boolean anyKind, Shell shell) {
    String sql =
        "select distinct unnest(kinds) from \""
            + schema.name()
            + "\".worker where status = 'LIVE' and lease_until > clock_timestamp()";
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      Set<String> known = new TreeSet<>();
      while (rows.next()) known.add(rows.getString(1));
      return new KnownKinds(known, anyKind, false, shell);
    } catch (SQLException e) {
      if (INSUFFICIENT_PRIVILEGE.equals(e.getSQLState())) {
        if (!anyKind) shell.say("kinds are not checked: this user may not see the workers");
        return new KnownKinds(Set.of(), anyKind, true, shell);
      }
      throw new DatabaseException("the kinds of the live workers could not be read", e);
    }
  }

  /**
   * Refuses a kind that none of the live workers knows; where no worker lives, nobody can tell.
   *
   * @throws DibsException if it is refused
   */
  void check(String kind) {
    if (anyKind || known.isEmpty() || known.contains(kind)) return;
    throw new DibsException(
        "no live worker knows kind '%s', they know %s; start one that does, or give --any-kind"
            .formatted(Text.storable(kind), Text.cut(String.join(", ", known), SHOWN)));
  }

  /** Says once on err that nobody is there to run what was enqueued. */
  void sayIfNobodyLives() {
    if (known.isEmpty() && !told) shell.say("no worker is alive: tasks wait until one is");
    told = true;
  }
}
