package dev.dibs.worker;

import java.lang.reflect.InvocationTargetException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A data source, asked for what only a HikariCP pool has: how large it is, and to part with
 * connections. Other data sources are left alone; HikariCP is found by its name, for the engine
 * does not depend on it. Thread-safe.
 */
final class KnownPool {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final String POOL = "com.zaxxer.hikari.HikariDataSource";
  private static final String ITS_CONNECTIONS = "com.zaxxer.hikari.";
  private static final String POOL_BEAN = "com.zaxxer.hikari.HikariPoolMXBean";
  private static final long REST_NANOS = Duration.ofSeconds(5).toNanos();

  private final DataSource dataSource;
  private final @Nullable Class<?> pool;
  private final AtomicLong last = new AtomicLong(System.nanoTime() - REST_NANOS);

  KnownPool(DataSource dataSource) {
    this.dataSource = dataSource;
    this.pool = pool(dataSource.getClass());
  }

  private static @Nullable Class<?> pool(Class<?> type) {
    for (@Nullable Class<?> each = type; each != null; each = each.getSuperclass())
      if (each.getName().equals(POOL)) return each;
    return null;
  }

  /** How many connections it has at most, where that is known. */
  OptionalInt size() {
    if (pool == null) return OptionalInt.empty();
    try {
      return OptionalInt.of((int) pool.getMethod("getMaximumPoolSize").invoke(dataSource));
    } catch (ReflectiveOperationException e) {
      LOG.debug("the size of the pool could not be read: {}", String.valueOf(e));
      return OptionalInt.empty();
    }
  }

  /**
   * Has the pool forget a connection that it lent and that is ended; who would close it made it
   * complain. False if it is none of the pool's.
   */
  boolean forgets(Connection ended) {
    if (pool == null || !ended.getClass().getName().startsWith(ITS_CONNECTIONS)) return false;
    try {
      pool.getMethod("evictConnection", Connection.class).invoke(dataSource, ended);
      return true;
    } catch (ReflectiveOperationException e) {
      LOG.debug("the pool does not forget a connection: {}", String.valueOf(e));
      return false;
    }
  }

  /**
   * A connection failed so. Where it showed that the others lead nowhere good either, to a demoted
   * server that takes no writes, to one that shuts down or to none, the pool is renewed, every few
   * seconds at most: connections in use are not cut, but not handed out again.
   */
  void noticed(SQLException e) {
    if (pool == null || !concernsOthers(e)) return;
    long before = last.get();
    long now = System.nanoTime();
    if (now - before >= REST_NANOS && last.compareAndSet(before, now)) evict(pool);
  }

  /** Whether other connections of the pool are likely to lead to the same place. */
  static boolean concernsOthers(SQLException e) {
    String state = String.valueOf(e.getSQLState());
    return state.equals("25006") || state.startsWith("57P") || state.startsWith("08");
  }

  private void evict(Class<?> type) {
    try {
      @Nullable Object bean = type.getMethod("getHikariPoolMXBean").invoke(dataSource);
      if (bean == null) return; // nothing was taken from it yet
      Class.forName(POOL_BEAN, false, type.getClassLoader())
          .getMethod("softEvictConnections")
          .invoke(bean);
    } catch (ReflectiveOperationException e) {
      @Nullable Throwable cause = e instanceof InvocationTargetException ? e.getCause() : e;
      LOG.debug("the pool could not be renewed: {}", String.valueOf(cause));
    }
  }
}
