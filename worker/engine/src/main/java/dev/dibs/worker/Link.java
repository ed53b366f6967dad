package dev.dibs.worker;

import dev.dibs.DatabaseException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection that one loop of the engine keeps for itself: opened when needed, dropped when it
 * breaks.
 *
 * <p>It sets what it depends on itself: auto-commit, READ COMMITTED, and a limit on how long an
 * answer may take, at the server and here, so that a network that swallows packets is noticed. Who
 * uses it while another does waits; {@link #close} waits for nobody.
 */
final class Link implements AutoCloseable {
  /** What is done on the connection. */
  @FunctionalInterface
  interface Work<R> {
    R on(Connection connection) throws SQLException;
  }

  /** A server that takes no writes: the connection leads to the wrong place. */
  private static final String READ_ONLY = "25006";

  private static final String CONNECTION_EXCEPTION = "08";
  private static final String SHUTDOWN = "57P";

  /** No connection, memory or disk left at the server: whatever is sent there fails alike. */
  private static final String INSUFFICIENT_RESOURCES = "53";

  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

  private final Route route;
  private final Duration answerWithin;
  private final String setUp;
  private final ReentrantLock inUse = new ReentrantLock();
  private volatile @Nullable Connection connection;
  private volatile boolean closed;

  /**
   * A link.
   *
   * @param setUp statements run on every new connection
   */
  Link(Route route, Duration answerWithin, String setUp) {
    this.route = route;
    this.answerWithin = answerWithin;
    this.setUp = setUp;
  }

  /**
   * Does {@code work} on the connection, opening one if there is none.
   *
   * @throws SQLException if it could not be opened or the work failed; a broken connection is
   *     dropped
   */
  <R> R use(Work<R> work) throws SQLException {
    inUse.lock();
    try {
      Connection open = connection;
      R result = done(work, open == null ? opened() : open);
      route.answered();
      return result;
    } catch (DataAccessException e) {
      SQLException cause = e.getCause(SQLException.class);
      if (cause == null) throw e;
      throw noticed(cause);
    } catch (SQLException e) {
      throw noticed(e);
    } catch (Error e) {
      drop(); // what is left of an answer that was not read to its end would answer the next
      throw e;
    } finally {
      inUse.unlock();
    }
  }

  private SQLException noticed(SQLException e) {
    if (isBroken(e)) {
      if (!closed) route.failed(e);
      drop();
    }
    return e;
  }

  /**
   * Through a transaction pooler the work is a transaction, and what it depends on is set for that
   * alone: the next transaction may find another session, and the next user of this one must not
   * find our settings.
   */
  private <R> R done(Work<R> work, Connection open) throws SQLException {
    if (!route.isPooled()) return work.on(open);
    open.setAutoCommit(false);
    boolean committed = false;
    try {
      begin(open);
      R result = work.on(open);
      open.commit();
      committed = true;
      return result;
    } finally {
      if (!committed) rollBack(open);
    }
  }

  /** The statements {@code settings} for one transaction. */
  static String local(String settings) {
    return settings.replaceAll("(^|;)\\s*set ", "$1 set local ");
  }

  private static void rollBack(Connection open) {
    try {
      open.rollback();
    } catch (SQLException e) {
      LOG.debug("a rollback failed, the connection is broken: {}", DatabaseException.reason(e));
    }
  }

  /** What is no longer waited for here must end at the server too, or it piles up there. */
  private String settings() {
    String limit = "set statement_timeout = " + endedWithin().toMillis();
    return setUp.isEmpty() ? limit : limit + "; " + setUp;
  }

  /** The server gives up before we do: what it says of it is no sign of a broken connection. */
  private Duration endedWithin() {
    return answerWithin.multipliedBy(4).dividedBy(5);
  }

  /**
   * Ends one step of a work that has several. Behind a pooler each is a transaction of its own, and
   * what the next depends on is set again; elsewhere each statement is a step anyway.
   */
  void step(Connection open) throws SQLException {
    if (open.getAutoCommit()) return;
    open.commit();
    begin(open);
  }

  /** Undoes a step that failed; the next begins. */
  void stepBack(Connection open) throws SQLException {
    if (open.getAutoCommit()) return;
    open.rollback();
    begin(open);
  }

  private void begin(Connection open) throws SQLException {
    execute(open, "set transaction isolation level read committed; " + local(settings()));
  }

  private static void execute(Connection open, String sql) throws SQLException {
    try (var statement = open.createStatement()) {
      statement.execute(sql);
    }
  }

  /** Opens the connection, unless the link was closed meanwhile: nobody would end it then. */
  private Connection opened() throws SQLException {
    Connection open = open();
    connection = open;
    if (closed) {
      drop();
      throw new SQLException("the worker was stopped", CONNECTION_EXCEPTION + "003");
    }
    return open;
  }

  private Connection open() throws SQLException {
    Connection open = route.connect();
    try {
      open.setNetworkTimeout(Runnable::run, Math.toIntExact(answerWithin.toMillis()));
      if (route.isPooled()) {
        // A statement prepared in one session is not there in the next.
        open.unwrap(PGConnection.class).setPrepareThreshold(0);
      } else {
        open.setAutoCommit(true);
        open.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        execute(open, settings());
      }
      return open;
    } catch (SQLException | RuntimeException e) {
      open.close();
      throw e;
    }
  }

  /** Whether the connection is of no more use, and the outcome of what was sent on it unknown. */
  static boolean isBroken(SQLException e) {
    String state = e.getSQLState();
    return state == null
        || state.startsWith(CONNECTION_EXCEPTION)
        || state.startsWith(SHUTDOWN)
        || state.startsWith(INSUFFICIENT_RESOURCES)
        || state.equals(READ_ONLY);
  }

  private void drop() {
    Connection open = connection;
    connection = null;
    if (open == null) return;
    try {
      route.end(open);
    } catch (SQLException e) {
      LOG.debug("a connection that was given up said: {}", DatabaseException.reason(e));
    }
  }

  /**
   * Ends the connection, which also wakes a thread that waits for an answer on it; what it is told
   * then is no outage.
   */
  @Override
  public void close() {
    closed = true;
    drop();
  }
}
