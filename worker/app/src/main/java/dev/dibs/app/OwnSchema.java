package dev.dibs.app;

import dev.dibs.DatabaseException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A schema that one run of a command has for itself. It is dropped at the end, also when a signal
 * ends the process, and in bounded time: who of this program still holds it is cut off, and what
 * others hold is left and named.
 *
 * <p>Make it before the schema, and before whatever works in it. The lock guards {@code ended}: one
 * thread undoes, another that comes meanwhile waits until that is through.
 */
final class OwnSchema implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** How long the command may take to end by itself after a signal. */
  private static final Duration GRACE = Duration.ofSeconds(3);

  private static final Duration LONGEST_STATEMENT = Duration.ofSeconds(30);

  /** lock_not_available, deadlock_detected. */
  private static final Set<String> HELD = Set.of("55P03", "40P01");

  /** Only sessions of this program and this user; {@code ?} is the schema. */
  private static final String CUT_OFF =
      """
      select pg_terminate_backend(session.pid) from pg_stat_activity as session
      where session.datname = current_database() and session.usename = current_user
        and session.pid <> pg_backend_pid()
        and (session.application_name like 'dibs %' or session.application_name = current_setting('application_name'))
        and session.pid in (select held.pid from pg_locks as held
          join pg_class as relation on relation.oid = held.relation
          where held.database = (select oid from pg_database where datname = current_database())
            and relation.relnamespace = (select oid from pg_namespace where nspname = ?))\
      """;

  private final Database database;
  private final Shell shell;
  private final String name;
  private final List<String> undoing;
  private final Duration patience;
  private final Thread command = Thread.currentThread();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Runnable atExit = this::endWithTheProcess;
  private boolean ended;

  /**
   * The schema of this name, for the thread that asks.
   *
   * @param besides statements that take back what the run does elsewhere, done first
   */
  OwnSchema(Database database, Shell shell, String name, String... besides) {
    this(database, shell, name, PATIENCE, besides);
  }

  OwnSchema(Database database, Shell shell, String name, Duration patience, String... besides) {
    this.database = database;
    this.shell = shell;
    this.name = name;
    this.patience = patience;
    this.undoing = new ArrayList<>(List.of(besides));
    this.undoing.add("drop schema if exists \"" + name + "\" cascade");
    AtExit.add(atExit);
  }

  String name() {
    return name;
  }

  /** Drops it, or says what is left. */
  @Override
  public void close() {
    undo();
    closed.countDown();
    AtExit.remove(atExit);
  }

  /** The command had better end by itself: then nothing of it is cut off at work. */
  void endWithTheProcess() {
    command.interrupt();
    try {
      if (!closed.await(GRACE.toMillis(), TimeUnit.MILLISECONDS)) undo();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void undo() {
    if (ended) return;
    ended = true;
    // Sockets as the driver makes them, and a connection that nobody has used.
    try (Connection connection = database.asTheDriverComes(LONGEST_STATEMENT).getConnection()) {
      execute(connection, "set lock_timeout = '500ms'");
      while (!undoing.isEmpty()) {
        executeUnlessHeld(connection, undoing.getFirst());
        undoing.removeFirst();
      }
    } catch (SQLException e) {
      shell.say(
          "schema %s is left in the database: %s; run: %s"
              .formatted(name, DatabaseException.reason(e), String.join("; ", undoing)));
    }
  }

  private void executeUnlessHeld(Connection connection, String sql) throws SQLException {
    long deadline = System.nanoTime() + patience.toNanos();
    while (true) {
      cutOff(connection);
      try {
        execute(connection, sql);
        return;
      } catch (SQLException e) {
        if (!HELD.contains(e.getSQLState()) || System.nanoTime() > deadline) throw e;
      }
    }
  }

  private void cutOff(Connection connection) throws SQLException {
    try (var statement = connection.prepareStatement(CUT_OFF)) {
      statement.setString(1, name);
      statement.execute();
    }
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
