package dev.dibs.worker;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Connections to a real database whose exchanges fail when told to: the statement is executed and
 * committed, then its answer is lost to the failure.
 */
final class FaultyDataSource extends PGSimpleDataSource {
  private final transient Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final AtomicInteger opened = new AtomicInteger();

  FaultyDataSource(String url) {
    setUrl(url);
  }

  /** The next exchanges end so, in this order. */
  void failNext(Throwable... next) {
    failures.addAll(List.of(next));
  }

  boolean allFailed() {
    return failures.isEmpty();
  }

  /** How many connections were opened so far. */
  int opened() {
    return opened.get();
  }

  @Override
  public Connection getConnection() throws SQLException {
    opened.incrementAndGet();
    Connection real = super.getConnection();
    return proxy(
        Connection.class,
        (method, arguments) -> {
          @Nullable Object answer = call(real, method, arguments);
          return answer instanceof PreparedStatement statement
                  && arguments != null
                  && String.valueOf(arguments[0]).contains("\"picked\"")
              ? failing(statement)
              : answer;
        });
  }

  private PreparedStatement failing(PreparedStatement real) {
    return proxy(
        PreparedStatement.class,
        (method, arguments) -> {
          @Nullable Object answer = call(real, method, arguments);
          @Nullable Throwable failure =
              method.getName().equals("executeQuery") ? failures.poll() : null;
          if (failure != null) throw failure;
          return answer;
        });
  }

  private interface Call {
    @Nullable Object on(java.lang.reflect.Method method, @Nullable Object @Nullable [] arguments)
        throws Throwable;
  }

  private static <T> T proxy(Class<T> type, Call call) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> call.on(method, arguments)));
  }

  private static @Nullable Object call(
      Object on, java.lang.reflect.Method method, @Nullable Object @Nullable [] arguments)
      throws Throwable {
    try {
      return method.invoke(on, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }
}
