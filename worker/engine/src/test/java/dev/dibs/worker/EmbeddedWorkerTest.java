package dev.dibs.worker;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.LoggerFactory;

/** A worker in an application: with its pool, its signals and its log. */
@Timeout(120)
class EmbeddedWorkerTest {
  private static final Kind<Json> KIND = Kind.json("k");
  private static final int TERMINATED = 128 + 15;

  private final TestDatabase db = TestDatabase.create();

  @AfterEach
  void drop() {
    db.close();
  }

  private HikariDataSource pool(int size) {
    var config = new HikariConfig();
    config.setDataSource(db.dataSource());
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(0);
    return new HikariDataSource(config);
  }

  private void enqueue(int maxAttempts) {
    try (Producer producer = Producer.on(db.dataSource())) {
      producer.enqueue(KIND.task(new Json("{}")).queue("q").maxAttempts(maxAttempts));
    }
  }

  /** What {@link #stopAtExit_drainsAtASignal} starts. */
  public static void main(String[] args) throws Exception {
    var source = new PGSimpleDataSource();
    source.setUrl(args[0]);
    Path started = Path.of(args[1]);
    Path mayEnd = Path.of(args[2]);
    try (Worker worker =
        Worker.on(source)
            .queue("q", 1)
            .handle(
                KIND,
                (payload, task) -> {
                  Files.createFile(started);
                  await().atMost(ofSeconds(60)).until(() -> Files.exists(mayEnd));
                  return Outcome.done();
                })
            .stopAtExit()
            .start()) {
      worker.awaitShutdown();
    }
  }

  @Test
  void stopAtExit_drainsAtASignal(@TempDir Path directory) throws Exception {
    Path started = directory.resolve("started");
    Path mayEnd = directory.resolve("may-end");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                EmbeddedWorkerTest.class.getName(),
                db.url(),
                started.toString(),
                mayEnd.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("out").toFile())
            .start();
    try {
      enqueue(1);
      await().atMost(ofSeconds(60)).until(() -> Files.exists(started));
      process.destroy();
      await()
          .atMost(ofSeconds(20))
          .until(() -> "DRAINING".equals(db.value("select status from dibs.worker")));
      Files.createFile(mayEnd);
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    String said = Files.readString(directory.resolve("out"));
    assertThat(process.exitValue()).as(said).isEqualTo(TERMINATED);
    assertThat(db.finished("SUCCEEDED")).as(said).isEqualTo(1);
    assertThat(db.number("select count(*) from dibs.worker")).as(said).isZero();
  }

  @Test
  void poolThatIsTooSmall_isRefusedAtOnce() {
    try (HikariDataSource pool = pool(4)) {
      WorkerBuilder builder =
          Worker.on(pool).queue("q", 1).handle(KIND, (payload, task) -> Outcome.done());
      assertThatThrownBy(builder::start)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("has 4 connections at most, and a worker keeps 5")
          .hasMessageContaining("maximumPoolSize");
    }
  }

  @Test
  void poolOfWhichTheWorkerKeepsAll_isSaid() {
    try (var log = new LogCapture();
        HikariDataSource pool = pool(5);
        HikariDataSource other = pool(1)) {
      WorkerBuilder builder =
          Worker.on(pool).queue("q", 1).handle(KIND, (payload, task) -> Outcome.done());
      builder.start().close();
      assertThat(log.with("none is left for task.transaction")).hasSize(1);
      builder.transactions(other).start().close();
      assertThat(log.with("none is left for task.transaction")).hasSize(1);
    }
  }

  @Test
  void stop_leavesThePoolQuietAndUsable() throws Exception {
    Queue<String> complaints = new ConcurrentLinkedQueue<>();
    var ear =
        new AppenderBase<ILoggingEvent>() {
          @Override
          protected void append(ILoggingEvent event) {
            if (event.getLevel().isGreaterOrEqual(ch.qos.logback.classic.Level.WARN))
              complaints.add(event.getFormattedMessage());
          }
        };
    Logger logger = (Logger) LoggerFactory.getLogger("com.zaxxer.hikari");
    ear.start();
    logger.addAppender(ear);
    try (HikariDataSource pool = pool(6)) {
      for (int i = 0; i < 3; i++) {
        try (Worker worker =
            Worker.on(pool).queue("q", 1).handle(KIND, (payload, task) -> Outcome.done()).start()) {
          enqueue(1);
          int finished = i + 1;
          await().atMost(ofSeconds(20)).until(() -> db.finished("SUCCEEDED") == finished);
          await()
              .atMost(ofSeconds(20))
              .until(() -> pool.getHikariPoolMXBean().getActiveConnections() == 5);
          assertThat(worker.isReady()).isTrue();
        }
        await()
            .atMost(ofSeconds(20))
            .until(() -> pool.getHikariPoolMXBean().getActiveConnections() == 0);
      }
      try (var connection = pool.getConnection();
          var rows = connection.createStatement().executeQuery("show statement_timeout")) {
        rows.next();
        assertThat(rows.getString(1)).as("nothing is left behind").isEqualTo("0");
      }
    } finally {
      logger.detachAppender(ear);
    }
    assertThat(complaints).isEmpty();
  }

  @Test
  void whatEndsBadly_isInTheLog() {
    try (var log = new LogCapture();
        Worker worker =
            Worker.on(db.dataSource())
                .queue("q", 4)
                .handle(
                    KIND,
                    (payload, task) -> {
                      if (task.attempt() > 0) throw new IllegalStateException("secret");
                      return Outcome.done();
                    })
                .start()) {
      for (int i = 0; i < 3; i++) enqueue(1);
      await().atMost(ofSeconds(20)).until(() -> db.finished("DEAD") == 3);
      await().atMost(ofSeconds(5)).until(() -> !log.with("is DEAD after 1 attempts").isEmpty());
      assertThat(log.with("is DEAD after 1 attempts")).hasSize(1);
      assertThat(log.with("secret")).isEmpty();
      assertThat(worker.isReady()).isTrue();
    }
  }

  @Test
  void whatIsThrownAfterTheCompletion_isInTheLog() {
    try (var log = new LogCapture();
        Worker worker =
            Worker.on(db.dataSource())
                .queue("q", 1)
                .handle(
                    KIND,
                    (payload, task) -> {
                      task.transaction(tx -> tx.execute("select 1"));
                      throw new IllegalStateException("too late");
                    })
                .start()) {
      enqueue(1);
      await().atMost(ofSeconds(20)).until(() -> db.finished("SUCCEEDED") == 1);
      await().atMost(ofSeconds(5)).until(() -> !log.with("what its handler threw").isEmpty());
      assertThat(worker.isReady()).isTrue();
    }
  }

  @Test
  @SuppressWarnings("NullAway") // that is what it is about
  void handlerThatAnswersNull_isTold() {
    try (Worker worker =
        Worker.on(db.dataSource()).queue("q", 1).handle(KIND, (payload, task) -> null).start()) {
      enqueue(1);
      await().atMost(ofSeconds(20)).until(() -> db.finished("DEAD") == 1);
      assertThat(db.value("select errors -> 0 ->> 'message' from dibs.task_history"))
          .isEqualTo("the handler answered null; answer Outcome.done()");
      assertThat(worker.isReady()).isTrue();
    }
  }
}
