package dev.dibs.app;

import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.NewTask;
import dev.dibs.Text;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The kinds and queues that live workers announced, against the typo that waits for ever. Owned by
 * one thread.
 *
 * <p>One statement over the small worker table, once a command.
 */
final class LiveWorkers {
  private static final int SHOWN = 200;

  /** Queues nobody serves are named up to here: a file may name a new one on every line. */
  private static final int MOST_UNSERVED = 10;

  private static final String INSUFFICIENT_PRIVILEGE = "42501";

  private final Set<String> kinds;
  private final Set<String> queues;
  private final boolean anyKind;
  private final Shell shell;
  private final Set<String> unserved = new TreeSet<>();
  private final Set<String> told = new HashSet<>();
  private boolean toldThatNobodyLives;

  private LiveWorkers(Set<String> kinds, Set<String> queues, boolean anyKind, Shell shell) {
    this.kinds = kinds;
    this.queues = queues;
    this.anyKind = anyKind;
    this.shell = shell;
  }

  /**
   * Reads what workers announce now. Who may not, for he only enqueues, is told once if he cares.
   */
  static LiveWorkers read(Connection connection, Schema schema, boolean anyKind, Shell shell) {
    String sql =
        "with live as (select kinds, queues from \""
            + schema.name()
            + "\".worker where status = 'LIVE' and lease_until > clock_timestamp())"
            + " select true, unnest(kinds) from live union select false, unnest(queues) from live";
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      Set<String> kinds = new TreeSet<>();
      Set<String> queues = new TreeSet<>();
      while (rows.next()) (rows.getBoolean(1) ? kinds : queues).add(rows.getString(2));
      return new LiveWorkers(kinds, queues, anyKind, shell);
    } catch (SQLException e) {
      if (!INSUFFICIENT_PRIVILEGE.equals(e.getSQLState()))
        throw new DatabaseException("the kinds of the live workers could not be read", e);
      if (!anyKind) shell.say("kinds are not checked: this user may not see the workers");
      var unseen = new LiveWorkers(Set.of(), Set.of(), anyKind, shell);
      unseen.toldThatNobodyLives = true;
      return unseen;
    }
  }

  /**
   * Refuses a kind that none of the live workers knows, and remembers a queue that none of them
   * serves; where no worker lives, nobody can tell.
   *
   * @throws DibsException if it is refused
   */
  void check(NewTask<?> task) {
    String kind = task.kind().name();
    if (!anyKind && !kinds.isEmpty() && !kinds.contains(kind))
      throw new DibsException(
          "no live worker knows kind '%s', they know %s; start one that does, or give --any-kind"
              .formatted(Text.storable(kind), list(kinds)));
    String queue = task.options().queue();
    if (!queues.isEmpty() && !queues.contains(queue) && told.size() < MOST_UNSERVED)
      if (told.add(queue)) unserved.add(queue);
  }

  private static String list(Set<String> names) {
    return Text.cut(String.join(", ", names), SHOWN);
  }

  /** Says on err, once each, what keeps the tasks that were enqueued from being run. */
  void sayWhoIsMissing() {
    if (kinds.isEmpty() && queues.isEmpty() && !toldThatNobodyLives)
      shell.say("no worker is alive: tasks wait until one is");
    toldThatNobodyLives = true;
    if (!unserved.isEmpty())
      shell.say(
          "no live worker serves queue %s, they serve %s: tasks wait until one does"
              .formatted(
                  Text.cut(
                      unserved.stream()
                          .map(queue -> "'" + Text.storable(queue) + "'")
                          .collect(Collectors.joining(", ")),
                      SHOWN),
                  list(queues)));
    unserved.clear();
  }
}
