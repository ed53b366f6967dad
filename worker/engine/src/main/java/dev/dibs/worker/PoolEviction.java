package dev.dibs.worker;

import java.lang.reflect.InvocationTargetException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a HikariCP pool part with the connections it keeps when one of them showed that they lead
 * nowhere good: to a demoted server that takes no writes, to one that shuts down, or to none.
 *
 * <p>Connections in use are not cut, but not handed out again. Other pools are left alone; HikariCP
 * is found by its name, for the engine does not depend on it. Thread-safe.
 */
final class PoolEviction {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final String POOL = "com.zaxxer.hikari.HikariDataSource";
  private static final String POOL_BEAN = "com.zaxxer.hikari.HikariPoolMXBean";
  private static final long REST_NANOS = Duration.ofSeconds(5).toNanos();

  private final DataSource dataSource;
  private final @Nullable Class<?> pool;
  private final AtomicLong last = new AtomicLong(System.nanoTime() - REST_NANOS);

  PoolEviction(DataSource dataSource) {
    this.dataSource = dataSource;
    this.pool = pool(dataSource.getClass());
  }

  private static @Nullable Class<?> pool(Class<?> type) {
    for (@Nullable Class<?> each = type; each != null; each = each.getSuperclass())
      if (each.getName().equals(POOL)) return each;
    return null;
  }

  /** A connection of the data source failed so; every few seconds the pool is renewed at most. */
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
