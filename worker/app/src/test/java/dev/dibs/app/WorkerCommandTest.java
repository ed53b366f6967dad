package dev.dibs.app;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.dibs.testing.TestDatabase;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Timeout(90)
class WorkerCommandTest {
  private static final String NOWHERE = "jdbc:postgresql://127.0.0.1:1/none";

  @TempDir Path directory;

  private static void assertWrongUsage(String option, String value, String reason) {
    Run run = Run.dibs("worker", "--database-url", NOWHERE, "--fail-fast", option, value);
    assertThat(run.code()).as(run.err()).isEqualTo(2);
    assertThat(run.err()).hasLineCount(1).contains(option, reason, "see `dibs worker --help`");
    assertThat(run.out()).isEmpty();
  }

  @Test
  void wrongUsage_namesTheValueAndTheWayOut() {
    assertWrongUsage("--queue", "mail", "NAME=N like mail=5");
    assertWrongUsage("--queue", "mail=", "NAME=N like mail=5");
    assertWrongUsage("--queue", "=5", "NAME=N like mail=5");
    assertWrongUsage("--queue", "mail=many", "NAME=N like mail=5");
    assertWrongUsage("--queue", "mail=-1", "NAME=N like mail=5");
    assertWrongUsage("--queue", "mail=0", "'mail' must be 1 to 10000, was 0");
    assertWrongUsage("--queue", "mail=99999999", "must be 1 to 10000, was 99999999");
    assertWrongUsage("--queue", "x".repeat(129) + "=1", "1 to 128 characters");
    assertWrongUsage("--handlers", directory.resolve("none").toString(), "is no directory");
    assertWrongUsage("--exec-allow", "bin/true", "absolute path");
    assertWrongUsage("--http-allow", "localhost:8080", "must begin with http:// or https://");
    assertWrongUsage("--http-allow", "http://h/?q", "no query");
    assertWrongUsage("--http-allow", "http://h/a/../b", "no . or ..");
    assertWrongUsage("--http-timeout", "soon", "like 250ms, 30s");
    assertWrongUsage("--admin-port", "65536", "0 to 65535");
    assertWrongUsage("--admin-interval", "1ms", "100ms to 1h");
    assertWrongUsage("--log-format", "xml", "text or json, was 'xml'");
    assertWrongUsage("--transactions", "0", "at least 1");
    assertWrongUsage("--console", "65536", "0 to 65535");
  }

  @Test
  void wrongUsage_coversWhatTheEngineRefuses() {
    for (String option : List.of("--lease", "--poll-interval", "--drain-timeout")) {
      Run run = Run.dibs("worker", "--database-url", NOWHERE, option, "99999d");
      assertThat(run.code()).isEqualTo(2);
      assertThat(run.err()).hasLineCount(1).contains("30 days");
    }
    Run twice = Run.dibs("worker", "--queue", "a=1,b=2", "--queue", "a=3");
    assertThat(twice.code()).isEqualTo(2);
    assertThat(twice.err()).contains("--queue a=3", "a second time");
  }

  @Test
  void worker_wantsAMigratedSchema() {
    try (var db = TestDatabase.createEmpty()) {
      Run run = Run.dibs("worker", "--database-url", db.url());
      assertThat(run.code()).isEqualTo(1);
      assertThat(run.err()).hasLineCount(1).contains("no Dibs schema", "run `dibs migrate`");
    }
  }

  @Test
  void worker_givesUpFastWhereToldTo() {
    Run run = Run.dibs("worker", "--database-url", NOWHERE, "--fail-fast");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).hasLineCount(1).contains("cannot be reached");
  }

  @Test
  void worker_runsUntilItIsStopped() throws Exception {
    try (var db = TestDatabase.create()) {
      var out = new StringWriter();
      var err = new StringWriter();
      String[] args = {
        "worker",
        "--database-url",
        db.url() + "&password=secret",
        "--admin-port",
        "0",
        "--poll-interval",
        "100ms"
      };
      var command =
          new FutureTask<>(() ->
              Dibs.run(Run.shell("", out, err, Map.of("DIBS_QUEUE", "default=4,mail=2")), args));
      Thread thread = Thread.ofPlatform().start(command);
      try {
        await().atMost(ofSeconds(20)).until(() -> out.toString().endsWith("\n"));
        assertThat(out.toString())
            .matches(
                "dibs worker [0-9a-f]{8} on jdbc:postgresql://\\S+ \\(schema dibs\\): queues default=4, mail=2;"
                    + " kinds exec, http, noop; concurrency 6; admin http://127.0.0.1:\\d+\n")
            .doesNotContain("secret");
        String admin = out.toString().replaceFirst("(?s).* admin (\\S+)\n", "$1");
        assertThat(get(admin + "/health/ready")).isEqualTo(200);
        assertThat(
                Run.dibs("enqueue", "--database-url", db.url(), "--kind", "noop", "--queue", "mail")
                    .code())
            .isZero();
        await().atMost(ofSeconds(20)).until(() -> db.finished("SUCCEEDED") == 1);
      } finally {
        thread.interrupt();
      }
      assertThat(command.get(30, TimeUnit.SECONDS)).isEqualTo(1);
      assertThat(err.toString()).isEqualToNormalizingNewlines("dibs: interrupted\n");
      assertThat(db.number("select count(*) from dibs.worker")).isZero();
    }
  }

  @Test
  void console_isRefusedWhereItWouldLetOthersInUnasked() {
    String[][] wrong = {
      {"--console-bind", "0.0.0.0", "--console-users FILE"},
      {"--console-proxy-from", "10.0.0.1", "--console-proxy-secret-file"},
      {"--console-role", "king", "viewer, operator or admin"}
    };
    for (String[] each : wrong) {
      Run run = Run.dibs("worker", "--database-url", NOWHERE, "--console", "0", each[0], each[1]);
      assertThat(run.code()).as(run.err()).isEqualTo(2);
      assertThat(run.err()).hasLineCount(1).contains(each[2]);
    }
  }

  /** The console answers until what ran when the worker was told to stop has ended. */
  @Test
  void console_isServedUntilTheWorkerHasDrained() throws Exception {
    try (var db = TestDatabase.create()) {
      Path go = directory.resolve("go");
      var out = new StringWriter();
      var err = new StringWriter();
      String[] args = {
        "worker",
        "--database-url",
        db.url(),
        "--console",
        "0",
        "--console-environment",
        "staging",
        "--exec-allow",
        "/bin/sh"
      };
      var command = new FutureTask<>(() -> Dibs.run(Run.shell("", out, err, Map.of()), args));
      Thread thread = Thread.ofPlatform().start(command);
      String console;
      boolean told = false;
      try {
        await().atMost(ofSeconds(20)).until(() -> out.toString().contains("dibs console on "));
        assertThat(out.toString()).contains("this machine only, everybody on it is admin");
        console = out.toString().replaceFirst("(?s).*dibs console on (\\S+) .*", "$1");
        assertThat(get(console + "/workers")).isEqualTo(200);
        db.value(
            "select dibs.enqueue('exec', jsonb_build_object('command', array['/bin/sh', '-c', ?]))",
            "while ! test -e " + go + "; do sleep 0.05; done");
        await().atMost(ofSeconds(20)).until(() -> db.tasks("PROCESSING") == 1);
        told = true;
        thread.interrupt();
        await()
            .atMost(ofSeconds(20))
            .until(
                () -> db.number("select count(*) from dibs.worker where status = 'DRAINING'") == 1);
        assertThat(get(console + "/workers")).isEqualTo(200);
        assertThat(db.tasks("PROCESSING")).as("it drains").isEqualTo(1);
      } finally {
        Files.createFile(go);
        if (!told) thread.interrupt(); // a second time would end the drain
      }
      command.get(30, TimeUnit.SECONDS);
      assertThat(db.finished("SUCCEEDED")).isEqualTo(1);
      assertThatThrownBy(() -> get(console + "/")).isInstanceOf(IOException.class);
    }
  }

  private static int get(String url) throws IOException, InterruptedException {
    try (var client = HttpClient.newHttpClient()) {
      return client
          .send(
              HttpRequest.newBuilder(URI.create(url)).build(),
              HttpResponse.BodyHandlers.discarding())
          .statusCode();
    }
  }

  @Test
  void worker_drainsAtASignalBeforeItsEmbeddedDatabaseEnds() throws Exception {
    Path started = directory.resolve("started");
    Path mayEnd = directory.resolve("may-end");
    Path ended = directory.resolve("ended");
    Path errors = directory.resolve("err");
    String home = "-Ddibs.home=" + directory.resolve("home");
    Process worker =
        start(
            home,
            errors,
            "worker",
            "--exec-allow",
            "/bin/sh",
            "--queue",
            "default=2",
            "--admin-port",
            "0");
    try {
      Path out = directory.resolve("out");
      await().atMost(ofSeconds(60)).until(() -> Files.readString(out).contains("dibs worker "));
      Path task = directory.resolve("task");
      Files.writeString(
          task,
          "{\"command\":[\"/bin/sh\",\"-c\",\"touch %s; while ! test -e %s; do sleep 0.05; done; touch %s\"]}"
              .formatted(started, mayEnd, ended));
      Process enqueue =
          start(
              home,
              directory.resolve("err2"),
              "enqueue",
              "--kind",
              "exec",
              "--payload",
              "@" + task);
      assertThat(enqueue.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(enqueue.exitValue()).as(Files.readString(directory.resolve("err2"))).isZero();
      await().atMost(ofSeconds(20)).until(() -> Files.exists(started));
      worker.destroy();
      String admin = Files.readString(out).replaceFirst("(?s).* admin (\\S+)\n.*", "$1");
      await().atMost(ofSeconds(20)).until(() -> get(admin + "/health/ready") == 503);
      Files.createFile(mayEnd);
      assertThat(worker.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(worker.exitValue()).isEqualTo(143);
      assertThat(ended).exists();
      assertThat(Files.readString(errors))
          .contains("1 were running, 0 given back unstarted, 0 abandoned, 0 outcomes unwritten")
          .doesNotContain("away", "Exception");
      assertThat(directory.resolve("home/embedded.json")).doesNotExist();
    } finally {
      worker.descendants().forEach(ProcessHandle::destroyForcibly);
      worker.destroyForcibly();
    }
  }

  @Test
  void worker_writesItsLogAsJsonWhereToldTo() throws Exception {
    try (var db = TestDatabase.create()) {
      Path errors = directory.resolve("json");
      Process worker =
          start(
              "-Ddibs.home=" + directory.resolve("home"),
              errors,
              "worker",
              "--log-format=json",
              "--database-url",
              db.url());
      try {
        Path out = directory.resolve("out");
        await().atMost(ofSeconds(60)).until(() -> Files.readString(out).contains("dibs worker "));
        worker.destroy();
        assertThat(worker.waitFor(30, TimeUnit.SECONDS)).isTrue();
      } finally {
        worker.destroyForcibly();
      }
      List<JsonNode> lines =
          Files.readAllLines(errors).stream().map(JsonMapper.shared()::readTree).toList();
      assertThat(lines)
          .anySatisfy(line -> {
            assertThat(line.path("level").asString()).isEqualTo("INFO");
            assertThat(line.path("loggerName").asString()).isEqualTo("dev.dibs.worker.Worker");
            assertThat(line.path("formattedMessage").asString())
                .contains("stopped: 0 were running");
            assertThat(line.path("timestamp").isNumber()).isTrue();
          });
    }
  }

  @Test
  void jsonLines_nameTheTaskOfTheHandlerThatLogs() {
    var events = new ConcurrentLinkedQueue<ILoggingEvent>();
    var ear =
        new AppenderBase<ILoggingEvent>() {
          @Override
          protected void append(ILoggingEvent event) {
            event.prepareForDeferredProcessing();
            events.add(event);
          }
        };
    var logger = (Logger) LoggerFactory.getLogger(WorkerCommandTest.class);
    ear.start();
    logger.addAppender(ear);
    logger.setAdditive(false);
    MDC.put("dibs.task", "42");
    try {
      logger.warn("sent {}", 7);
    } finally {
      MDC.remove("dibs.task");
      logger.setAdditive(true);
      logger.detachAppender(ear);
    }
    var encoder = LogFormat.encoder(logger.getLoggerContext());
    String line = new String(encoder.encode(events.remove()), StandardCharsets.UTF_8);
    JsonNode json = JsonMapper.shared().readTree(line);
    assertThat(line).endsWith("\n");
    assertThat(json.path("mdc").path("dibs.task").asString()).isEqualTo("42");
    assertThat(json.path("formattedMessage").asString()).isEqualTo("sent 7");
  }

  private Process start(String home, Path errors, String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add(home);
    command.addAll(
        List.of(
            "-Dlogback.configurationFile=logback.xml",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.dibs.app.Dibs"));
    command.addAll(List.of(args));
    File out = directory.resolve(args[0].equals("worker") ? "out" : "out2").toFile();
    return new ProcessBuilder(command)
        .redirectOutput(out)
        .redirectError(Redirect.to(errors.toFile()))
        .start();
  }
}
