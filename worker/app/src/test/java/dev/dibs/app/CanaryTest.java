package dev.dibs.app;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import dev.dibs.DatabaseException;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.OnConflict;
import dev.dibs.Outcome;
import dev.dibs.PayloadException;
import dev.dibs.Unique;
import dev.dibs.producer.CoalescingProducer;
import dev.dibs.producer.Edit;
import dev.dibs.producer.Editor;
import dev.dibs.producer.Producer;
import dev.dibs.sql.Migrations;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import dev.dibs.worker.Worker;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * What a payload or a header holds is nowhere but in the task: not in logs at their most talkative,
 * not in metrics, messages, or the server's log, whatever goes wrong with it.
 */
@Timeout(120)
class CanaryTest {
  private static final String CANARY = "canary-7d1f";
  private static final Kind<Json> FAILS = Kind.json("fails");

  record Count(int secret) {}

  private static final Kind<Count> COUNT = Kind.of("count", Count.class);

  private final Queue<ILoggingEvent> events = new ConcurrentLinkedQueue<>();
  private final AppenderBase<ILoggingEvent> ear =
      new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
          events.add(event);
        }
      };
  private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  private final Level before = root.getLevel();
  private final StringWriter messages = new StringWriter();

  CanaryTest() {
    root.setLevel(Level.TRACE);
    ear.start();
    root.addAppender(ear);
  }

  @AfterEach
  void detach() {
    root.detachAppender(ear);
    root.setLevel(before);
  }

  private static NewTask<Json> task(Kind<Json> kind) {
    return kind.task(new Json("{\"secret\":\"%s\"}".formatted(CANARY)))
        .header("tag", CANARY)
        .maxAttempts(1);
  }

  private static NewTask<Json> unique(OnConflict policy) {
    return task(FAILS)
        .delay(Duration.ofHours(1))
        .unique(Unique.byFields("secret").onConflict(policy));
  }

  @Test
  void payloadsAndHeaders_appearNowhere(@TempDir Path directory) throws IOException {
    try (EmbeddedPostgres server =
        EmbeddedPostgres.builder()
            .setPGStartupWait(Duration.ofMinutes(1))
            .setDataDirectory(directory.resolve("data"))
            .setServerConfig("logging_collector", "on")
            .setServerConfig("log_directory", directory.toString())
            .setServerConfig("log_filename", "server.log")
            .setServerConfig("log_min_messages", "info")
            .setServerConfig("log_error_verbosity", "verbose")
            .start()) {
      DataSource database = server.getPostgresDatabase();
      Migrations.migrate(database, Schema.DEFAULT);
      var meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
      try (Worker worker =
          Worker.on(database)
              .queue("default", 4)
              .handle(FAILS, (payload, running) -> fail(running.attempt()))
              .handle(COUNT, (count, running) -> Outcome.done())
              .metrics(meters)
              .start()) {
        enqueue(database);
        await().atMost(ofSeconds(30)).until(() -> dead(meters) >= 4);
        assertThat(worker.isLive()).isTrue();
      }
      messages.append(meters.scrape());
    }
    assertThat(Files.readString(directory.resolve("server.log")))
        .contains("duplicate key value") // it is the server's log that was looked at
        .doesNotContain(CANARY);
    assertThat(messages.toString()).contains("dibs_tasks_finished").doesNotContain(CANARY);
    assertThat(logged()).contains("dibs").doesNotContain(CANARY);
  }

  /** The server's answer then quotes the whole row, and the driver's message the answer. */
  @Test
  void rowsThatTheDatabaseRefuses_areQuotedNowhere() {
    try (TestDatabase db = TestDatabase.create();
        Producer producer = Producer.on(db.dataSource());
        Worker worker =
            Worker.on(db.dataSource())
                .queue("default", 4)
                .handle(FAILS, (payload, running) -> Outcome.done())
                .start()) {
      db.execute("alter table dibs.task add constraint not_there check (queue <> 'barred')");
      db.execute("alter table dibs.task_history add constraint not_so check (kind <> 'fails')");
      assertThatThrownBy(() -> producer.enqueue(task(FAILS).queue("barred")))
          .isInstanceOf(DatabaseException.class)
          .hasMessageContaining("not_there")
          .hasMessageNotContaining(CANARY)
          .hasStackTraceContaining(CANARY); // the driver's own does quote it
      keep(producer.enqueue(task(FAILS)));
      await().atMost(ofSeconds(30)).until(() -> logged().contains("not_so"));
      assertThat(worker.isLive()).isTrue();
      Run run =
          Run.dibs(
              "{\"secret\":\"%s\"}".formatted(CANARY),
              Map.of(),
              "--debug",
              "enqueue",
              "--database-url",
              db.url(),
              "--queue=barred",
              "--kind=fails",
              "--any-kind",
              "--payload=-");
      assertThat(run.err()).contains("not_there", "at dev.dibs").doesNotContain(CANARY);
    }
    assertThat(logged()).doesNotContain(CANARY);
  }

  private String logged() {
    return events.stream().map(CanaryTest::text).collect(Collectors.joining("\n"));
  }

  private static Outcome fail(int attempt) {
    if (attempt > 0) throw new IllegalStateException("the handler's own words");
    return Outcome.done();
  }

  private static double dead(PrometheusMeterRegistry meters) {
    return meters.find("dibs.tasks.finished").tag("outcome", "dead").counters().stream()
        .mapToDouble(counter -> counter.count())
        .sum();
  }

  /** All ways in, with whatever can be wrong with a task. */
  private void enqueue(DataSource database) {
    try (Producer producer = Producer.on(database);
        CoalescingProducer coalescing = CoalescingProducer.on(database)) {
      NewTask<Json> failing = task(FAILS);
      keep(producer.enqueue(failing));
      keep(producer.enqueue(failing)); // 23505, and the server's log says so
      keep(coalescing.enqueue(task(FAILS)).join());
      keep(producer.enqueue(task(Kind.json("count")))); // does not fit the handler's record
      keep(producer.enqueue(task(Kind.json("count"))));
      for (OnConflict policy : OnConflict.values()) keep(producer.enqueue(unique(policy)));
      keep(
          producer.enqueue(
              IntStream.range(0, 1_000).mapToObj(i -> unique(OnConflict.REPLACE)).toList()));
      var editor = Editor.on(database);
      keep(editor.edit(producer.enqueue(unique(OnConflict.KEEP)).id(), edit()));
      for (String bad :
          List.of(
              "{\"%s\":",
              "{\"a\":\"%s\",\"a\":1}",
              "\"%s\\u0000\"",
              "\"%s\"" + " ".repeat(300_000),
              "\"%s\\ud800\""))
        refused(() -> producer.enqueue(FAILS.task(new Json(bad.formatted(CANARY)))));
      refused(() -> producer.enqueue(task(FAILS).header("big", CANARY.repeat(30_000))));
      refused(() ->
          producer.enqueue(
              FAILS.task(new Json("\"" + CANARY + "\"")).unique(Unique.byFields("secret"))));
    }
  }

  private static Edit edit() {
    return Edit.payload(new Json("\"" + CANARY + "\""));
  }

  private void keep(Object answer) {
    messages.append(answer.toString()).append('\n');
  }

  private void refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(PayloadException.class)
        .satisfies(refusal -> refusal.printStackTrace(new PrintWriter(messages)));
  }

  private static String text(ILoggingEvent event) {
    String failure =
        event.getThrowableProxy() == null
            ? ""
            : ThrowableProxyUtil.asString(event.getThrowableProxy());
    return event.getFormattedMessage() + failure;
  }
}
