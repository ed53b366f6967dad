package dev.dibs.worker;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/** Connections to a real database whose exchanges fail when told to. */
final class FaultyDataSource extends PGSimpleDataSource {
  private final transient Queue<Throwable> lost = new ConcurrentLinkedQueue<>();
  private final transient Queue<SQLException> refused = new ConcurrentLinkedQueue<>();
  private final AtomicInteger opened = new AtomicInteger();

  FaultyDataSource(String url) {
    setUrl(url);
  }

  /** The next exchanges are committed, then their answers are lost so. */
  void loseAnswers(Throwable... next) {
    lost.addAll(List.of(next));
  }

  /** The next exchanges that would end a task are not made but refused so. */
  void refuseEndings(SQLException... next) {
    refused.addAll(List.of(next));
  }

  boolean haveAllFailed() {
    return refused.isEmpty() && lost.isEmpty();
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
    var ends = new AtomicBoolean();
    return proxy(
        PreparedStatement.class,
        (method, arguments) -> {
          if (method.getName().equals("setObject") && arguments != null)
            if (Integer.valueOf(1).equals(arguments[0]) && arguments[1] instanceof Array ids)
              ends.set(((Object[]) ids.getArray()).length > 0);
          boolean exchanges = method.getName().equals("executeQuery");
          @Nullable Throwable refusal = exchanges && ends.get() ? refused.poll() : null;
          if (refusal != null) throw refusal;
          @Nullable Object answer = call(real, method, arguments);
          @Nullable Throwable failure = exchanges ? lost.poll() : null;
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
