package dev.dibs.worker;

import dev.dibs.sql.Pooler;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.OptionalInt;
import javax.sql.DataSource;

/**
 * The way to the database that all links of a worker share: where connections come from, whether it
 * is passable, and whether a transaction pooler stands in it. Thread-safe.
 */
final class Route {
  private final DataSource dataSource;
  private final Outage outage;
  private final KnownPool pool;
  private volatile boolean pooled;

  Route(DataSource dataSource, Outage outage) {
    this.dataSource = dataSource;
    this.outage = outage;
    this.pool = new KnownPool(dataSource);
  }

  /** Finds out whether there is a transaction pooler; to be asked before the first link opens. */
  void explore() throws SQLException {
    pooled = Pooler.isBetween(dataSource);
  }

  /**
   * Whether statements of one connection may be served by several sessions of the server: then
   * nothing set for a session, prepared or listened for can be relied on, or be left behind.
   */
  boolean isPooled() {
    return pooled;
  }

  Connection connect() throws SQLException {
    return dataSource.getConnection();
  }

  /** How many connections there can be, where that is known. */
  OptionalInt size() {
    return pool.size();
  }

  /**
   * Ends a connection without manners, which also wakes who waits for an answer on it: a pool must
   * not hand it to anyone else, only take back its place.
   */
  void end(Connection connection) throws SQLException {
    try {
      connection.abort(Runnable::run);
    } finally {
      if (!pool.forgets(connection)) connection.close();
    }
  }

  void failed(SQLException e) {
    outage.failed(e);
    pool.noticed(e);
  }

  void answered() {
    outage.answered();
  }
}
