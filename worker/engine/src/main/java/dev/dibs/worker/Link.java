package dev.dibs.worker;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
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

  private final DataSource dataSource;
  private final Outage outage;
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
  Link(DataSource dataSource, Outage outage, Duration answerWithin, String setUp) {
    this.dataSource = dataSource;
    this.outage = outage;
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
      R result = work.on(open == null ? opened() : open);
      outage.answered();
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
      if (!closed) outage.failed(e);
      drop();
    }
    return e;
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
    Connection open = dataSource.getConnection();
    try {
      open.setAutoCommit(true);
      open.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      open.setNetworkTimeout(Runnable::run, Math.toIntExact(answerWithin.toMillis()));
      try (var statement = open.createStatement()) {
        // What is no longer waited for here must end at the server too, or it piles up there.
        statement.execute("set statement_timeout = " + answerWithin.toMillis());
        if (!setUp.isEmpty()) statement.execute(setUp);
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

  /**
   * Ends the connection without manners: a pool must not hand it to anyone else, only take back its
   * place.
   */
  private void drop() {
    Connection open = connection;
    connection = null;
    if (open == null) return;
    try (open) {
      open.abort(Runnable::run);
    } catch (SQLException e) {
      LOG.debug("a connection that was given up said: {}", e.getMessage());
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
