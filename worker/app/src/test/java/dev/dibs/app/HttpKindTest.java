package dev.dibs.app;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(60)
class HttpKindTest {
  /** What the server got. */
  private record Got(
      String method, String path, com.sun.net.httpserver.Headers headers, String body) {}

  /** What the server says. */
  private record Say(int status, Map<String, String> headers, String body) {
    static Say status(int status) {
      return new Say(status, Map.of(), "");
    }
  }

  private final BlockingQueue<Got> got = new LinkedBlockingQueue<>();
  private final BlockingQueue<Say> says = new LinkedBlockingQueue<>();
  private final CountDownLatch release = new CountDownLatch(1);
  private HttpServer server;
  private TestWorker worker;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.createContext("/silent", exchange -> hang());
    server.createContext(
        "/stalls",
        exchange -> {
          exchange.sendResponseHeaders(200, 10);
          exchange.getResponseBody().write('x');
          exchange.getResponseBody().flush();
          hang();
        });
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.start();
    worker = worker(ofSeconds(20));
  }

  @AfterEach
  void stop() {
    worker.close();
    release.countDown();
    server.stop(0);
  }

  private TestWorker worker(Duration timeout) {
    var options = new HandlerOptions();
    options.httpAllow =
        List.of(
            HttpUrl.prefix(url("/in")),
            HttpUrl.prefix(url("/silent")),
            HttpUrl.prefix(url("/stalls")));
    options.httpTimeout = timeout;
    return new TestWorker(options);
  }

  private void hang() throws IOException {
    try {
      release.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      got.add(
          new Got(
              exchange.getRequestMethod(),
              exchange.getRequestURI().getPath(),
              exchange.getRequestHeaders(),
              body));
      Say say = says.poll();
      if (say == null) say = Say.status(204);
      say.headers().forEach(exchange.getResponseHeaders()::set);
      byte[] bytes = say.body().getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(say.status(), bytes.length == 0 ? -1 : bytes.length);
      if (bytes.length > 0) exchange.getResponseBody().write(bytes);
    }
  }

  private String url(String path) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + path;
  }

  private UUID call(String path) {
    return worker.enqueue("http", "{\"url\":\"" + url(path) + "\"}");
  }

  private UUID call(String path, String more) {
    return worker.enqueue("http", "{\"url\":\"" + url(path) + "\"," + more + "}");
  }

  private Got next() throws InterruptedException {
    Got next = got.poll(20, TimeUnit.SECONDS);
    assertThat(next).isNotNull();
    return next;
  }

  @Test
  void http_postsJsonWithTheFactsOfTheTask() throws Exception {
    UUID id = call("/in/x", "\"body\":{\"n\":1.10,\"big\":12345678901234567890.123}");
    worker.assertSucceeds(id);
    Got request = next();
    assertThat(request.method()).isEqualTo("POST");
    assertThat(request.path()).isEqualTo("/in/x");
    assertThat(request.body()).contains("\"n\":1.10").contains("12345678901234567890.123");
    assertThat(request.headers().getFirst("Content-Type")).isEqualTo("application/json");
    assertThat(request.headers().getFirst("Idempotency-Key")).isEqualTo(id + ":http");
    assertThat(request.headers().getFirst("Dibs-Task-Id")).isEqualTo(id.toString());
    assertThat(request.headers().getFirst("Dibs-Attempt")).isEqualTo("1");
  }

  @Test
  void http_sendsStringsAsTheyAre() throws Exception {
    worker.assertSucceeds(call("/in", "\"method\":\"PUT\",\"body\":\"a\\nb\""));
    Got text = next();
    assertThat(text.method()).isEqualTo("PUT");
    assertThat(text.body()).isEqualTo("a\nb");
    assertThat(text.headers().getFirst("Content-Type")).startsWith("text/plain");

    worker.assertSucceeds(
        call("/in", "\"headers\":{\"content-type\":\"text/csv\",\"X-A\":\"b\"},\"body\":\"a,b\""));
    Got csv = next();
    assertThat(csv.headers().get("Content-Type")).containsExactly("text/csv");
    assertThat(csv.headers().getFirst("X-A")).isEqualTo("b");

    worker.assertSucceeds(call("/in", "\"method\":\"GET\",\"body\":null"));
    assertThat(next().body()).isEmpty();
  }

  @Test
  void http_comesAgainAfterAServerError() throws Exception {
    says.add(new Say(500, Map.of("Retry-After", "0"), "oops"));
    says.add(Say.status(200));
    UUID id = call("/in");
    worker.assertSucceeds(id);
    next();
    assertThat(next().headers().getFirst("Dibs-Attempt")).isEqualTo("2");
    assertThat(worker.db().number("select failures from dibs.task_history where id = ?", id))
        .isEqualTo(1);
  }

  @Test
  void http_waitsAsLongAsTheServerAsks() {
    says.add(new Say(429, Map.of("Retry-After", "120"), ""));
    UUID seconds = call("/in");
    assertThat(worker.failureOf(seconds)).endsWith("answered 429");
    assertThat(worker.seconds(seconds)).isBetween(100.0, 120.0);

    String date =
        DateTimeFormatter.RFC_1123_DATE_TIME.format(
            OffsetDateTime.now(ZoneOffset.UTC).plusHours(1));
    says.add(new Say(503, Map.of("Retry-After", date), ""));
    UUID atDate = call("/in");
    worker.awaitWaiting(atDate);
    assertThat(worker.seconds(atDate)).isBetween(3500.0, 3600.0);

    says.add(new Say(503, Map.of("Retry-After", "99999999"), ""));
    UUID forYears = call("/in");
    worker.awaitWaiting(forYears);
    assertThat(worker.seconds(forYears)).isBetween(86_300.0, 86_400.0);

    for (int i = 0; i < 3; i++) says.add(new Say(429, Map.of("Retry-After", "soon"), ""));
    UUID unreadable = call("/in");
    assertThat(worker.failureOf(unreadable)).contains("429");
  }

  @Test
  void http_comesAgainAfterWhatMayPassAndDiesOfTheRest() {
    for (int status : List.of(408, 425, 502)) {
      says.add(new Say(status, Map.of("Retry-After", "500"), ""));
      assertThat(worker.failureOf(call("/in"))).endsWith("answered " + status);
    }
    says.add(new Say(404, Map.of(), "no such hook" + "x".repeat(3_000)));
    assertThat(worker.deathOf(call("/in")))
        .contains("answered 404: no such hook")
        .hasSizeLessThan(1_200);
    says.add(new Say(302, Map.of("Location", url("/other")), ""));
    assertThat(worker.deathOf(call("/in"))).contains("302", "redirects are not followed");
    assertThat(got).noneMatch(request -> request.path().equals("/other"));
  }

  @Test
  void http_callsNothingOutsideTheAllowList() {
    int port = server.getAddress().getPort();
    for (String url :
        List.of(
            url("/other"),
            url("/inner"),
            "http://localhost:" + port + "/in",
            "https://127.0.0.1:" + port + "/in",
            "http://127.0.0.1:1/in?token=secret")) {
      assertThat(worker.deathOf(worker.enqueue("http", "{\"url\":\"" + url + "\"}")))
          .as(url)
          .contains("--http-allow")
          .doesNotContain("secret", "/in");
    }
    for (String url :
        List.of(
            "http://127.0.0.1:" + port + "@localhost:" + port + "/in",
            "http://u:secret@127.0.0.1:" + port + "/in",
            "http://127.0.0.1:" + port + "1234/in",
            url("/in/../other"),
            url("/in/%2e%2e/other"),
            "file:///etc/passwd")) {
      assertThat(worker.deathOf(worker.enqueue("http", "{\"url\":\"" + url + "\"}")))
          .as(url)
          .startsWith("the payload's url ")
          .doesNotContain("secret");
    }
    assertThat(got).isEmpty();
    worker.assertSucceeds(
        worker.enqueue("http", "{\"url\":\"" + url("/in").replace("http:", "HTTP:") + "\"}"));
  }

  @Test
  void http_diesOfAPayloadThatMeansNoCall() {
    assertThat(worker.deathOf(worker.enqueue("http", "{}"))).contains("has no url");
    assertThat(worker.deathOf(worker.enqueue("http", "[1]"))).contains("must be a JSON object");
    assertThat(worker.deathOf(worker.enqueue("http", "{\"url\":7}")))
        .contains("url must be a string");
    assertThat(worker.deathOf(call("/in", "\"method\":\"CONNECT\"")))
        .contains("method must be one of");
    assertThat(worker.deathOf(call("/in", "\"headers\":{\"Host\":\"secret\"}")))
        .contains("'Host'")
        .doesNotContain("secret");
    assertThat(worker.deathOf(call("/in", "\"headers\":{\"X\":\"secret\\r\\nY: 1\"}")))
        .contains("'X'")
        .doesNotContain("secret");
    assertThat(worker.deathOf(call("/in", "\"headers\":[]"))).contains("headers must be an object");
    assertThat(got).isEmpty();
  }

  @Test
  void http_comesAgainWhenNobodyListens() throws Exception {
    server.stop(0);
    assertThat(worker.failureOf(call("/in"))).contains("cannot be called", "ConnectException");
  }

  @Test
  void http_givesUpOnASilentServer() {
    worker.close();
    worker = worker(ofMillis(300));
    assertThat(worker.failureOf(call("/silent"))).contains("did not answer within");
    assertThat(worker.failureOf(call("/stalls"))).contains("did not answer within");
  }

  @Test
  void http_isEndedByTheTasksTimeout() {
    UUID id =
        worker.enqueue(
            "http", "{\"url\":\"" + url("/silent") + "\"}", task -> task.timeout(ofMillis(200)));
    assertThat(worker.failureOf(id)).startsWith("timed out after");
  }

  @Test
  void http_isGivenBackWhenTheWorkerStops() {
    UUID id = call("/silent");
    await().atMost(ofSeconds(20)).until(() -> worker.status(id).equals("PROCESSING"));
    worker.stop();
    assertThat(worker.status(id)).isEqualTo("PENDING");
    assertThat(worker.db().number("select failures from dibs.task where id = ?", id)).isZero();
  }

  @Test
  void http_readsALargeAnswerToABound() {
    says.add(new Say(200, Map.of(), "x".repeat(3 << 20)));
    worker.assertSucceeds(call("/in"));
  }

  @Test
  void http_logsNothingOfWhatIsSentAndReceived() {
    var events = new ListAppender<ILoggingEvent>();
    Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    Level before = root.getLevel();
    root.setLevel(Level.DEBUG);
    events.start();
    root.addAppender(events);
    try {
      says.add(new Say(404, Map.of(), "canary-answer"));
      worker.deathOf(
          call(
              "/in?canary-query",
              "\"headers\":{\"X\":\"canary-header\"},\"body\":\"canary-body\""));
    } finally {
      root.detachAppender(events);
      root.setLevel(before);
    }
    assertThat(List.copyOf(events.list))
        .noneMatch(event -> event.getFormattedMessage().contains("canary"));
  }
}
