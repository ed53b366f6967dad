package dev.dibs.app;

import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.Text;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Set;

/**
 * The kinds that live workers announced, against the typo that waits in a queue for ever. Owned by
 * one thread.
 *
 * <p>One statement over the small worker table, once a command.
 */
final class KnownKinds {
  private final Set<String> known;
  private final Set<String> told = new HashSet<>();
  private final boolean knownOnly;
  private final Shell shell;

  private KnownKinds(Set<String> known, boolean knownOnly, Shell shell) {
    this.known = known;
    this.knownOnly = knownOnly;
    this.shell = shell;
  }

  /** Reads what workers announce now. */
  static KnownKinds read(Connection connection, Schema schema, boolean knownOnly, Shell shell) {
    String sql =
        "select distinct unnest(kinds) from \""
            + schema.name()
            + "\".worker where status = 'LIVE' and lease_until > clock_timestamp()";
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      Set<String> known = new HashSet<>();
      while (rows.next()) known.add(rows.getString(1));
      return new KnownKinds(known, knownOnly, shell);
    } catch (SQLException e) {
      throw new DatabaseException("the kinds of the live workers could not be read", e);
    }
  }

  /**
   * Says once on err that nobody knows a kind.
   *
   * @throws DibsException instead, if only known kinds are wanted
   */
  void check(String kind) {
    if (known.contains(kind) || told.contains(kind)) return;
    String unknown = "no live worker knows kind '" + Text.storable(kind) + "'";
    if (knownOnly)
      throw new DibsException(unknown + "; start one that does, or leave out --known-only");
    told.add(kind);
    shell.say(unknown + "; its tasks wait until one does");
  }
}
