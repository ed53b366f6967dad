package dev.dibs.chaos;

import dev.dibs.chaos.Violation.Promise;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Asks every second, while all is running, whether every task that came in is either there or in
 * history: in one query, which is one snapshot.
 */
final class Conservation implements AutoCloseable {
  private static final Duration EVERY = Duration.ofSeconds(1);
  private static final String BALANCE =
      """
      select (select count(*) from chaos.lasting where op = 'insert'),
             (select count(*) from dibs.task),
             (select count(*) from dibs.task_history)
      """;

  private final Stage stage;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Thread thread;
  private int answers;

  Conservation(Stage stage) {
    this.stage = stage;
    this.thread = Thread.ofPlatform().daemon().name("conservation").start(this::run);
  }

  private void run() {
    try {
      while (!stopped.await(EVERY.toNanos(), TimeUnit.NANOSECONDS)) look();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void look() {
    try (Connection connection = stage.cluster().primary().connect();
        var statement = connection.createStatement();
        var rows = statement.executeQuery(BALANCE)) {
      rows.next();
      answers++;
      long inserted = rows.getLong(1);
      long alive = rows.getLong(2);
      long finished = rows.getLong(3);
      if (inserted != alive + finished)
        stage
            .journal()
            .saw(
                new Violation(
                    Promise.CONSERVATION,
                    Event.NO_TASK,
                    "%d came in, %d are there, %d in history"
                        .formatted(inserted, alive, finished)));
    } catch (SQLException e) {
      return; // the server is away: that is what this run is about
    }
  }

  /** Ends it; answers how often the database answered. */
  int stop() {
    stopped.countDown();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return answers;
  }

  @Override
  public void close() {
    stop();
  }
}
