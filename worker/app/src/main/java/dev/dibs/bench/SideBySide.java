package dev.dibs.bench;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/** The same done by several threads at once. */
final class SideBySide {
  private SideBySide() {}

  /** In so many platform threads; answers what each of them answered. */
  static <T> List<T> run(int threads, Callable<T> work) throws Exception {
    return run(Executors.newFixedThreadPool(threads), threads, i -> work);
  }

  /** In so many virtual threads. */
  static <T> List<T> runVirtual(int threads, Callable<T> work) throws Exception {
    return run(Executors.newVirtualThreadPerTaskExecutor(), threads, i -> work);
  }

  /** Each with a connection of its own. */
  static <T> List<T> run(Connections connections, Function<Connection, Callable<T>> work)
      throws Exception {
    int threads = connections.size();
    return run(Executors.newFixedThreadPool(threads), threads, i -> work.apply(connections.get(i)));
  }

  /** Two different things; if the first fails the second is interrupted. */
  static List<Object> both(Callable<?> first, Callable<?> second) throws Exception {
    return run(
        Executors.newFixedThreadPool(2), 2, i -> () -> i == 0 ? first.call() : second.call());
  }

  private static <T> List<T> run(
      ExecutorService executor, int threads, Function<Integer, Callable<T>> work) throws Exception {
    try (executor) {
      List<Future<T>> futures = new ArrayList<>();
      for (int i = 0; i < threads; i++) futures.add(executor.submit(work.apply(i)));
      return answers(futures, executor);
    }
  }

  /** The answers of all; the first failure interrupts the others, or close would wait for them. */
  private static <T> List<T> answers(List<Future<T>> futures, ExecutorService executor)
      throws Exception {
    List<T> answers = new ArrayList<>();
    try {
      for (Future<T> future : futures) answers.add(future.get());
    } catch (ExecutionException | InterruptedException e) {
      executor.shutdownNow();
      throw e;
    }
    return answers;
  }

  /** Connections opened before the clock runs: opening one costs more than a hundred commits. */
  static final class Connections implements AutoCloseable {
    private final List<Connection> open = new ArrayList<>();

    /**
     * Opens {@code count} connections.
     *
     * @param setUp run on each of them
     */
    Connections(BenchDatabase db, int count, String setUp) throws SQLException {
      for (int i = 0; i < count; i++) {
        Connection connection = db.connect();
        open.add(connection);
        try (var statement = connection.createStatement()) {
          statement.execute(setUp);
        }
      }
    }

    Connections(BenchDatabase db, int count) throws SQLException {
      this(db, count, "");
    }

    int size() {
      return open.size();
    }

    Connection get(int i) {
      return open.get(i);
    }

    @Override
    public void close() throws SQLException {
      for (Connection connection : open) connection.close();
    }
  }
}
