package dev.dibs.app;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.testing.TestDatabase;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

@Timeout(120)
class GatewayCommandTest {
  private static final String NOWHERE = "jdbc:postgresql://127.0.0.1:1/none";
  private static final String HASH = "ab".repeat(32);

  @TempDir Path directory;

  private static Run gateway(String... options) {
    List<String> args =
        new ArrayList<>(List.of("gateway", "--fail-fast", "--database-url", NOWHERE));
    args.addAll(List.of(options));
    return Run.dibs(args.toArray(String[]::new));
  }

  private static void assertWrongUsage(Run run, String... words) {
    assertThat(run.code()).as(run.err()).isEqualTo(2);
    assertThat(run.err()).hasLineCount(1).contains(words).contains("see `dibs gateway --help`");
    assertThat(run.out()).isEmpty();
  }

  @Test
  void wrongUsage_namesTheValueAndTheWayOut() {
    assertWrongUsage(
        gateway("--bind", "0.0.0.0"), "--bind 0.0.0.0 lets others in", "--tokens FILE");
    assertWrongUsage(gateway("--bind", "::"), "--tokens FILE");
    assertWrongUsage(gateway("--bind", "no.such.host.invalid"), "is no address");
    assertWrongUsage(gateway("--port", "65536"), "0 to 65535, was 65536");
    assertWrongUsage(gateway("--max-body", "1"), "--max-body must be between 1024");
    assertWrongUsage(gateway("--max-payload", "0"), "--max-payload must be between 1");
    assertWrongUsage(gateway("--max-requests", "0"), "--max-requests must be between 1");
    assertWrongUsage(gateway("--connections", "3"), "--connections must be between 4");
    assertWrongUsage(gateway("--tokens", "/no/such"), "/no/such cannot be read");
  }

  @Test
  void tokensFile_isReadStrictly() throws IOException {
    String good = "{\"name\":\"a\",\"sha256\":\"%s\",\"queues\":[\"q\"]}".formatted(HASH);
    assertTokens("# nothing\n\n", "names no token");
    assertTokens("hunter2", "line 1: is not a JSON object");
    assertTokens("[]", "line 1: name must be a string");
    assertTokens(good + "\n" + good.replace("\"q\"", ""), "line 2: queues must name at least one");
    assertTokens(good.replace("[\"q\"]", "\"q\""), "queues must be an array of strings");
    assertTokens(good.replace("\"q\"", "7"), "queues must be an array of strings");
    assertTokens(good.replace(HASH, "hunter2"), "64 hexadecimal digits");
    assertTokens(good.replace("}", ",\"rate\":0}"), "above 0");
    assertTokens(good.replace("}", ",\"rate\":\"9\"}"), "rate must be a number");
    assertTokens(good.replace("}", ",\"token\":\"hunter2\"}"), "an unknown field");
    assertTokens(good + "\n" + good.replace("\"a\"", "\"b\""), "a second time");
    assertTokens(
        good + "\n" + good.replace(HASH, "cd".repeat(32)), "names 'a' or its sha256 a second time");
    // A good file is no wrong usage: only the database is missing.
    Path file = Files.writeString(directory.resolve("good"), good);
    assertThat(gateway("--tokens", file.toString(), "--bind", "0.0.0.0").code()).isEqualTo(1);
  }

  private void assertTokens(String text, String reason) throws IOException {
    Path file = Files.writeString(directory.resolve("tokens"), text);
    Run run = gateway("--tokens", file.toString());
    assertWrongUsage(run, "--tokens " + file, reason);
    assertThat(run.err()).doesNotContain("hunter2");
  }

  @Test
  void gateway_wantsAMigratedSchemaAndAFreePort() throws IOException {
    try (var db = TestDatabase.createEmpty()) {
      Run run = Run.dibs("gateway", "--database-url", db.url());
      assertThat(run.code()).isEqualTo(1);
      assertThat(run.err()).hasLineCount(1).contains("no Dibs schema", "run `dibs migrate`");
    }
    try (var db = TestDatabase.create();
        var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(taken.getLocalPort());
      Run run = Run.dibs("gateway", "--database-url", db.url(), "--port", port);
      assertThat(run.code()).isEqualTo(1);
      assertThat(run.err()).hasLineCount(1).contains("127.0.0.1:" + port, "another --port");
    }
  }

  @Test
  void gateway_runsUntilItIsStopped() throws Exception {
    try (var db = TestDatabase.create()) {
      var out = new StringWriter();
      var err = new StringWriter();
      var command =
          new FutureTask<>(() ->
              Dibs.run(
                  Run.shell("", out, err, Map.of("DIBS_GATEWAY_PORT", "0")),
                  "gateway",
                  "--database-url",
                  db.url() + "&password=secret"));
      Thread thread = Thread.ofPlatform().start(command);
      try {
        await().atMost(ofSeconds(20)).until(() -> out.toString().endsWith("\n"));
        assertThat(out.toString())
            .matches(
                "dibs gateway on http://127.0.0.1:\\d+ for jdbc:postgresql://\\S+ \\(schema dibs\\): no tokens, this machine only\n")
            .doesNotContain("secret");
        try (var client = HttpClient.newHttpClient()) {
          assertThat(post(client, url(out.toString())).statusCode()).isEqualTo(201);
        }
      } finally {
        thread.interrupt();
      }
      assertThat(command.get(30, TimeUnit.SECONDS)).isEqualTo(1);
      assertThat(err.toString()).isEqualToNormalizingNewlines("dibs: interrupted\n");
      assertThat(db.tasks("PENDING")).isEqualTo(1);
    }
  }

  private static String url(String started) {
    return started.replaceFirst("(?s)dibs gateway on (\\S+) .*", "$1");
  }

  private static HttpResponse<String> post(HttpClient client, String url)
      throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(URI.create(url + "/v1/tasks"))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString("{\"kind\":\"k\"}"))
            .build(),
        BodyHandlers.ofString());
  }

  private Process start(TestDatabase db, String... java) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(java));
    command.addAll(
        List.of(
            "-Dlogback.configurationFile=logback.xml",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.dibs.app.Dibs",
            "gateway",
            "--port",
            "0",
            "--database-url",
            db.url()));
    return new ProcessBuilder(command)
        .redirectOutput(directory.resolve("out").toFile())
        .redirectError(directory.resolve("err").toFile())
        .start();
  }

  private String awaitUrl() {
    Path out = directory.resolve("out");
    await().atMost(ofSeconds(60)).until(() -> Files.readString(out).endsWith("\n"));
    try {
      return url(Files.readString(out));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Clients post without a pause while the process is told to end. */
  @Test
  void signal_losesNoTaskThatWasAcknowledged() throws Exception {
    try (var db = TestDatabase.create()) {
      Process process = start(db);
      try (var client = HttpClient.newHttpClient()) {
        String url = awaitUrl();
        Set<String> acknowledged = ConcurrentHashMap.newKeySet();
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < 8; i++)
          clients.add(Thread.ofVirtual().start(() -> postUntilRefused(client, url, acknowledged)));
        await().atMost(ofSeconds(30)).until(() -> acknowledged.size() > 200);
        process.destroy();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        for (Thread each : clients) each.join();
        assertThat(process.exitValue()).isEqualTo(143);
        assertThat(Files.readString(directory.resolve("err")))
            .doesNotContain("WARN ", "ERROR ", "Exception");
        String ids = String.valueOf(db.value("select string_agg(id::text, ',') from dibs.task"));
        assertThat(Set.of(ids.split(",", -1))).containsAll(acknowledged);
      } finally {
        process.destroyForcibly();
      }
    }
  }

  private static void postUntilRefused(HttpClient client, String url, Set<String> acknowledged) {
    try {
      while (true) {
        HttpResponse<String> answer = post(client, url);
        if (answer.statusCode() != 201) return;
        acknowledged.add(JsonMapper.shared().readTree(answer.body()).path("id").stringValue());
      }
    } catch (IOException e) {
      // It is gone: what was not acknowledged does not count.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void slowClients_areCutOffAndOthersServed() throws Exception {
    try (var db = TestDatabase.create()) {
      Process process = start(db, "-Dsun.net.httpserver.maxReqTime=2");
      try (var client = HttpClient.newHttpClient()) {
        String url = awaitUrl();
        int port = URI.create(url).getPort();
        String head = "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\n";
        String type = "Content-Type: application/json\r\nContent-Length: 12\r\n\r\n";
        try (var inHead = new Socket(InetAddress.getLoopbackAddress(), port);
            var inBody = new Socket(InetAddress.getLoopbackAddress(), port)) {
          send(inHead, head);
          send(inBody, head + type + "{\"kind\"");
          assertThat(post(client, url).statusCode()).isEqualTo(201);
          assertThat(inHead.getInputStream().readAllBytes()).isEmpty();
          assertThat(inBody.getInputStream().readAllBytes()).isEmpty();
        }
        try (var withLongHead = new Socket(InetAddress.getLoopbackAddress(), port)) {
          send(withLongHead, head + "X: " + "x".repeat(60_000));
          send(withLongHead, "x".repeat(10_000));
          assertThat(withLongHead.getInputStream().readAllBytes()).isEmpty();
        } catch (IOException e) {
          assertThat(e).hasMessageContaining("reset"); // it had not read all of it
        }
        assertThat(post(client, url).statusCode()).isEqualTo(201);
        assertThat(db.tasks("PENDING")).isEqualTo(2);
      } finally {
        process.destroyForcibly();
      }
    }
  }

  private static void send(Socket socket, String text) throws IOException {
    socket.setSoTimeout(20_000);
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    socket.getOutputStream().flush();
  }
}
