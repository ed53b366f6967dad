package dev.dibs.app;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.NewTask;
import dev.dibs.app.TestGateway.Answer;
import dev.dibs.testing.TestDatabase;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The gateway, asked over HTTP, on a database. */
@Timeout(90)
class GatewayTest {
  private static final String CANARY = "canary-4711";

  private final TestDatabase db = TestDatabase.create();
  private final Cable cable = new Cable(db.url());
  private final TestGateway gateway = new TestGateway(cable.url());

  @TempDir Path directory;

  @AfterEach
  void drop() {
    gateway.close();
    cable.close();
    db.close();
  }

  private long tasks() {
    return db.number("select count(*) from dibs.task");
  }

  private static void assertProblem(Answer answer, int status, String type, String... words) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    assertThat(answer.problem()).isEqualTo(type);
    for (String word : words) assertThat(answer.detail()).contains(word);
    assertThat(answer.detail()).isNotBlank().doesNotContain(CANARY);
  }

  @Test
  void anIdempotencyKey_enqueuesOnceAlsoWhenTheTaskHasEnded() {
    String task = "{\"kind\":\"mail\"}";
    Answer first = gateway.post(task, "Idempotency-Key", "\"order 7\"");
    assertThat(first.status()).isEqualTo(201);
    assertThat(first.json().path("landing").asString()).isEqualTo("INSERTED");
    assertThat(db.number("delete from dibs.task returning 1")).isEqualTo(1);
    Answer again = gateway.post(task, "Idempotency-Key", "order 7");
    assertThat(again.status()).isEqualTo(200);
    assertThat(again.json().path("landing").asString()).isEqualTo("KEPT");
    assertThat(again.json().path("id").asString()).isEqualTo(first.json().path("id").asString());
    assertThat(gateway.post(task, "Idempotency-Key", "order 8").status()).isEqualTo(201);
  }

  @Test
  void linesThatAreUnique_areAnsweredOneByOne() {
    Answer answer =
        gateway.postLines(
            """
            {"kind":"mail","uniqueKey":"a"}
            {"kind":"mail","uniqueKey":"a","onConflict":"reject"}
            {"kind":"mail","payload":{"n":1},"uniqueBy":["n"]}
            """);
    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.lines())
        .extracting(line -> line.path("landing").asString())
        .containsExactly("INSERTED", "REJECTED", "INSERTED");
  }

  @Test
  void oneTask_isEnqueuedAsItSays() {
    Answer answer =
        gateway.post(
            """
            {
              "kind": "mail", "queue": "post", "priority": "high", "maxAttempts": 3,
              "timeout": "90s", "delay": "1h", "headers": {"tag": "a"},
              "payload": {"to": 1.50}
            }
            """);
    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.header("Content-Type")).contains("application/json");
    assertThat(answer.json().path("inserted").booleanValue()).isTrue();
    assertThat(
            db.value(
                "select concat_ws(' ', id, queue, kind, priority, max_attempts, timeout, payload, headers, status) from dibs.task"))
        .isEqualTo(
            answer.id() + " post mail 2 3 00:01:30 {\"to\": 1.50} {\"tag\": \"a\"} SCHEDULED");
  }

  @Test
  void theSameId_isEnqueuedOnce() {
    String id = NewTask.nextId().toString();
    String task = "{\"kind\":\"k\",\"id\":\"%s\"}".formatted(id);
    Answer first = gateway.post(task);
    assertThat(first.status()).isEqualTo(201);
    assertThat(first.id()).isEqualTo(id);
    Answer second = gateway.post(task);
    assertThat(second.status()).isEqualTo(200);
    assertThat(second.id()).isEqualTo(id);
    assertThat(second.json().path("inserted").booleanValue()).isFalse();
    assertThat(tasks()).isEqualTo(1);
  }

  @Test
  void lines_areEnqueuedInOneTransaction() {
    String lines =
        IntStream.range(0, 1_500)
            .mapToObj(n -> "{\"kind\":\"k\",\"payload\":%d}\n".formatted(n))
            .collect(Collectors.joining("\n"));
    Answer answer = gateway.postLines(lines);
    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.header("Content-Type")).contains("application/x-ndjson");
    assertThat(answer.lines())
        .hasSize(1_500)
        .allMatch(line -> line.path("inserted").booleanValue());
    assertThat(db.number("select count(distinct xmin::text) from dibs.task")).isEqualTo(1);
    UUID last = UUID.fromString(answer.lines().getLast().path("id").stringValue());
    assertThat(db.value("select payload from dibs.task where id = ?", last)).isEqualTo("1499");
  }

  @Test
  void lines_sayOfEachWhetherItWasThere() {
    String id = NewTask.nextId().toString();
    String known = "{\"kind\":\"k\",\"id\":\"%s\"}\n".formatted(id);
    assertThat(gateway.postLines(known).status()).isEqualTo(201);
    Answer mixed = gateway.postLines(known + "{\"kind\":\"k\"}\n");
    assertThat(mixed.status()).isEqualTo(201);
    assertThat(mixed.lines())
        .extracting(line -> line.path("inserted").booleanValue())
        .containsExactly(false, true);
    assertThat(gateway.postLines(known).status()).isEqualTo(200);
    assertThat(tasks()).isEqualTo(2);
  }

  @Test
  void aBadLine_meansNothingIsEnqueued() {
    String good = "{\"kind\":\"k\"}\n";
    assertProblem(
        gateway.postLines(good + good + "{}\n"), 400, "invalid-task", "line 3: has no kind");
    assertProblem(
        gateway.postLines(good + "{\"kind\":\"k\",\"payload\":\"%s\\u0000\"}\n".formatted(CANARY)),
        400,
        "invalid-task",
        "task 2: a payload must not hold NUL");
    String id = NewTask.nextId().toString();
    String twice = "{\"kind\":\"k\",\"id\":\"%s\"}\n".formatted(id);
    assertProblem(gateway.postLines(twice + twice), 400, "invalid-task", "line 2: repeats the id");
    assertProblem(gateway.postLines("\n \n"), 400, "invalid-task", "there is no task in it");
    assertProblem(gateway.postLines(good.repeat(10_001)), 413, "too-large", "at most 10000 tasks");
    assertThat(tasks()).isZero();
  }

  /** Whatever a body is, it is refused in words that do not repeat it. */
  @Test
  void oddBodies_areRefused() {
    assertInvalid("", "not valid JSON", "must be a JSON object");
    assertInvalid("{", "not valid JSON");
    assertInvalid("[]", "must be a JSON object");
    assertInvalid("null", "must be a JSON object");
    assertInvalid("{\"kind\":\"k\"} {\"kind\":\"k\"}", "more than one JSON object");
    assertInvalid("{\"kind\":\"k\",\"kind\":\"l\"}", "not valid JSON");
    assertInvalid("{\"kind\":7}", "kind must be a string");
    assertInvalid("{\"kind\":\"\"}", "1 to 128 characters");
    assertInvalid("{\"kind\":\"\\ud800\"}", "lone surrogates");
    assertInvalid("{\"kind\":\"k\",\"colour\":1}", "unknown field 'colour'");
    assertInvalid("{\"kind\":\"k\",\"id\":\"7\"}", "UUID of version 7");
    assertInvalid("{\"kind\":\"k\",\"id\":\"" + UUID.randomUUID() + "\"}", "UUID of version 7");
    assertInvalid("{\"kind\":\"k\",\"maxAttempts\":" + "9".repeat(900) + "}", "whole number");
    assertInvalid("{\"kind\":\"k\",\"maxAttempts\":" + "9".repeat(90_000) + "}", "not valid JSON");
    assertInvalid("{\"kind\":\"k\",\"delay\":\"soon\"}", "a duration must be like");
    assertInvalid("{\"kind\":\"k\",\"delay\":\"99999999999d\"}", "task:");
    assertInvalid("{\"kind\":\"k\",\"headers\":{\"h\":\"\\udc00\"}}", "lone surrogate");
    for (String payload :
        List.of(
            "{\"s\":\"%s\\ud800\"}".formatted(CANARY),
            "[\"%s\",1e200000]".formatted(CANARY),
            "[\"%s\",%s]".formatted(CANARY, "1".repeat(2_000)),
            "[\"%s\"".formatted(CANARY) + ",[".repeat(600) + "]".repeat(601),
            "[".repeat(100_000) + "]".repeat(100_000),
            "{\"%s\":1,\"%s\":2}".formatted(CANARY, CANARY),
            CANARY)) {
      assertInvalid("{\"kind\":\"k\",\"payload\":" + payload + "}", "task:");
    }
    byte[] latin = "{\"kind\":\"k\",\"payload\":\"ä\"}".getBytes(StandardCharsets.ISO_8859_1);
    for (String type : List.of("application/json", "application/x-ndjson"))
      assertProblem(
          gateway.post(BodyPublishers.ofByteArray(latin), type),
          400,
          "invalid-task",
          "not valid UTF-8");
    assertThat(tasks()).isZero();
  }

  private void assertInvalid(String body, String... anyOf) {
    Answer answer = gateway.post(body);
    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    assertThat(answer.problem()).isEqualTo("invalid-task");
    assertThat(answer.detail()).containsAnyOf(anyOf).doesNotContain(CANARY).hasSizeLessThan(300);
  }

  @Test
  void oddRequests_areRefusedEachByItsName() throws IOException {
    String task = "{\"kind\":\"k\"}";
    assertProblem(gateway.get("/"), 404, "no-such-path", "/v1/tasks");
    assertProblem(gateway.get("/v1/tasks/"), 404, "no-such-path");
    Answer got = gateway.get("/v1/tasks");
    assertProblem(got, 405, "wrong-method", "POST only");
    assertThat(got.header("Allow")).contains("POST");
    assertProblem(
        gateway.send(gateway.request("/metrics").DELETE()), 405, "wrong-method", "GET, HEAD only");
    for (String type :
        List.of("", "text/plain", "application/jsonl", "application/json; charset=latin1"))
      assertProblem(
          gateway.post(BodyPublishers.ofString(task), type),
          415,
          "wrong-media-type",
          "application/x-ndjson");
    assertProblem(
        gateway.post(task, "Content-Encoding", "gzip"),
        415,
        "wrong-media-type",
        "Content-Encoding");
    assertProblem(
        gateway.post(task, "X-Long", "x".repeat(20_000)),
        431,
        "headers-too-large",
        "at most 16384");
    assertProblem(
        gateway.post(task, "Idempotency-Key", "k".repeat(244)), 400, "invalid-task", "1 to 243");
    assertProblem(
        gateway.post(
            "{\"kind\":\"mail\",\"uniqueKey\":\"" + CANARY + "\"}", "Idempotency-Key", CANARY),
        400,
        "invalid-task",
        "not both");
    assertProblem(
        gateway.postLines(task, "Idempotency-Key", CANARY), 400, "invalid-task", "its own id");
    assertThat(
            gateway.raw(
                "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 411")
        .contains("urn:dibs:problem:length-required");
    assertThat(tasks()).isZero();
    assertThat(
            gateway.post(BodyPublishers.ofString(task), "Application/JSON; charset=UTF-8").status())
        .isEqualTo(201);
  }

  /** A page whose name was turned to 127.0.0.1 has its own name in the request. */
  @Test
  void foreignHosts_areRefusedWithoutTokens() throws IOException {
    String request =
        "POST /v1/tasks HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{\"kind\":\"k\"}";
    assertThat(gateway.raw(request.formatted("evil.example:9420")))
        .startsWith("HTTP/1.1 403")
        .contains("urn:dibs:problem:foreign-host");
    assertThat(tasks()).isZero();
    assertThat(gateway.raw(request.formatted("LocalHost:9420"))).startsWith("HTTP/1.1 201");
  }

  @Test
  void largeBodies_areRefused() {
    String large = "{\"kind\":\"k\",\"payload\":\"" + "x".repeat(2 << 20) + "\"}";
    assertProblem(gateway.post(large), 413, "too-large", "at most 1048576 bytes");
    byte[] bytes = large.getBytes(StandardCharsets.UTF_8);
    assertProblem(
        gateway.post(
            BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(bytes)),
            "application/json"),
        413,
        "too-large",
        "at most 1048576 bytes");
    String payload = "\"" + "ä".repeat(140_000) + "\"";
    assertProblem(
        gateway.post("{\"kind\":\"k\",\"payload\":" + payload + "}"),
        413,
        "too-large",
        "280002 bytes, at most 262144");
    assertThat(tasks()).isZero();
    byte[] chunks =
        ("{\"kind\":\"k\",\"payload\":\"" + "x".repeat(200_000) + "\"}")
            .getBytes(StandardCharsets.UTF_8);
    assertThat(
            gateway
                .post(
                    BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(chunks)),
                    "application/json")
                .status())
        .isEqualTo(201);
    assertThat(db.number("select length(payload #>> '{}') from dibs.task")).isEqualTo(200_000);
  }

  private static String sha256(String token) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private TestGateway withTokens() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("tokens"),
            """
            # who may do what
            {"name":"shop","sha256":"%s","queues":["mail","default"]}

            {"name":"all","sha256":"%s","queues":["*"]}
            {"name":"slow","sha256":"%s","queues":["*"],"rate":0.01}
            """
                .formatted(sha256("shop-secret"), sha256("all-secret"), sha256("slow-secret")));
    return new TestGateway(db.url(), GatewaySettings.DEFAULT, Tokens.read(file));
  }

  @Test
  void tokens_coverTheirQueues() throws IOException {
    try (TestGateway guarded = withTokens()) {
      String mail = "{\"kind\":\"k\",\"queue\":\"mail\"}";
      String other = "{\"kind\":\"k\",\"queue\":\"other\"}";
      Answer without = guarded.post(mail);
      assertProblem(without, 401, "unauthorized", "Authorization: Bearer TOKEN");
      assertThat(without.header("WWW-Authenticate")).contains("Bearer realm=\"dibs\"");
      Answer unknown = guarded.post(mail, "Authorization", "Bearer shop-secret-not");
      assertProblem(unknown, 401, "unauthorized", "not known");
      assertThat(unknown.body()).doesNotContain("shop-secret");
      assertProblem(guarded.post(mail, "Authorization", "Basic c2hvcA=="), 401, "unauthorized");
      assertProblem(guarded.post(mail, "Authorization", "Bearer "), 401, "unauthorized");
      String shop = "bearer shop-secret";
      assertProblem(
          guarded.post(other, "Authorization", shop),
          403,
          "foreign-queue",
          "token 'shop' does not cover queue 'other', it covers mail, default");
      assertProblem(
          guarded.postLines(mail + "\n" + other, "Authorization", shop),
          403,
          "foreign-queue",
          "line 2:");
      assertThat(tasks()).isZero();
      assertThat(guarded.post(mail, "Authorization", shop).status()).isEqualTo(201);
      assertThat(guarded.post(other, "Authorization", "Bearer all-secret").status()).isEqualTo(201);
      assertThat(guarded.get("/health/live").status()).isEqualTo(200);
      assertThat(tasks()).isEqualTo(2);
    }
  }

  @Test
  void tokens_haveTheirRate() throws IOException {
    try (TestGateway guarded = withTokens()) {
      String slow = "Bearer slow-secret";
      assertThat(guarded.post("{\"kind\":\"k\"}", "Authorization", slow).status()).isEqualTo(201);
      Answer soon = guarded.post("{\"kind\":\"k\"}", "Authorization", slow);
      assertProblem(soon, 429, "too-fast", "token 'slow'");
      assertThat(Integer.parseInt(soon.header("Retry-After").orElse("0"))).isBetween(50, 100);
      assertThat(guarded.post("{\"kind\":\"k\"}", "Authorization", "Bearer all-secret").status())
          .isEqualTo(201);
    }
  }

  @Test
  void manyClients_areAllAnsweredAndNothingIsLostOrDoubled() throws Exception {
    int clients = 64;
    int each = 20;
    Set<String> ids = new TreeSet<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<String>>> answers = new ArrayList<>();
      for (int c = 0; c < clients; c++) {
        int number = c;
        answers.add(
            threads.submit(() -> {
              List<String> got = new ArrayList<>();
              for (int i = 0; i < each; i++) {
                Answer answer =
                    gateway.post(
                        "{\"kind\":\"k\",\"payload\":{\"client\":%d,\"n\":%d}}"
                            .formatted(number, i));
                assertThat(answer.status()).as(answer.body()).isEqualTo(201);
                got.add(answer.id());
              }
              return got;
            }));
      }
      for (Future<List<String>> answer : answers) ids.addAll(answer.get());
    }
    assertThat(ids).hasSize(clients * each);
    assertThat(
            Set.of(
                String.valueOf(db.value("select string_agg(id::text, ',') from dibs.task"))
                    .split(",", -1)))
        .isEqualTo(ids);
    assertThat(db.number("select count(distinct (payload->'client', payload->'n')) from dibs.task"))
        .isEqualTo((long) clients * each);
    assertThat(db.number("select count(distinct xmin::text) from dibs.task"))
        .as("commits")
        .isLessThan((long) clients * each);
  }

  /** While somebody holds a lock on the table, no insert comes through. */
  private Connection lock() throws SQLException {
    Connection connection = db.connect();
    connection.setAutoCommit(false);
    try (var statement = connection.createStatement()) {
      statement.execute("lock table dibs.task in exclusive mode");
    }
    return connection;
  }

  private void awaitBlocked(int statements) {
    await()
        .atMost(ofSeconds(20))
        .until(() ->
            db.number(
                    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                >= statements);
  }

  private Map<Integer, Long> statuses(List<CompletableFuture<Answer>> answers) {
    return answers.stream()
        .map(CompletableFuture::join)
        .collect(Collectors.groupingBy(Answer::status, Collectors.counting()));
  }

  @Test
  void whatDoesNotFit_isRefusedAtOnceAndTheRestIsAnswered() throws Exception {
    try (TestGateway small =
            new TestGateway(db.url(), GatewaySettings.DEFAULT.withMaxRequests(4), Tokens.none());
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<CompletableFuture<Answer>> answers = new ArrayList<>();
      try (Connection lock = lock()) {
        for (int i = 0; i < 64; i++)
          answers.add(CompletableFuture.supplyAsync(() -> small.post("{\"kind\":\"k\"}"), threads));
        await()
            .atMost(ofSeconds(8))
            .until(() -> answers.stream().filter(CompletableFuture::isDone).count() == 60);
        List<CompletableFuture<Answer>> refused =
            answers.stream().filter(CompletableFuture::isDone).toList();
        for (CompletableFuture<Answer> each : refused) {
          assertProblem(each.join(), 429, "overloaded", "4 requests are in flight");
          assertThat(each.join().header("Retry-After")).contains("1");
        }
        assertThat(small.get("/metrics").body()).contains("dibs_gateway_in_flight 4.0");
        lock.rollback();
      }
      assertThat(statuses(answers)).isEqualTo(Map.of(429, 60L, 201, 4L));
      assertThat(tasks()).isEqualTo(4);
      await() // a request is over a moment after its answer
          .atMost(ofSeconds(5))
          .until(() -> small.get("/metrics").body().contains("dibs_gateway_in_flight 0.0"));
    }
  }

  @Test
  void requestsOfManyTasks_doNotQueueForConnections() throws Exception {
    CompletableFuture<Answer> first;
    try (Connection lock = lock()) {
      first = CompletableFuture.supplyAsync(() -> gateway.postLines("{\"kind\":\"k\"}\n"));
      awaitBlocked(1);
      assertProblem(
          gateway.postLines("{\"kind\":\"k\"}\n"), 429, "overloaded", "requests of many tasks");
      lock.rollback();
    }
    assertThat(first.join().status()).isEqualTo(201);
    assertThat(tasks()).isEqualTo(1);
  }

  @Test
  void databaseAway_isSaidAndComesBack() {
    assertThat(gateway.post("{\"kind\":\"k\"}").status()).isEqualTo(201);
    assertThat(gateway.get("/health/ready").status()).isEqualTo(200);
    cable.cut();
    long began = System.nanoTime();
    // Each of the pool's that breaks while it is used leaves open what became of the task.
    Answer away = gateway.post("{\"kind\":\"k\"}");
    for (int i = 0; i < 8 && away.problem().equals("outcome-unknown"); i++)
      away = gateway.post("{\"kind\":\"k\"}");
    assertProblem(away, 503, "database-away", "nothing was enqueued (SQLSTATE ");
    assertThat(away.header("Retry-After")).contains("2");
    assertThat(System.nanoTime() - began).isLessThan(ofSeconds(20).toNanos());
    assertProblem(gateway.postLines("{\"kind\":\"k\"}\n"), 503, "database-away");
    await().atMost(ofSeconds(20)).until(() -> gateway.get("/health/ready").status() == 503);
    assertThat(gateway.get("/health/live").status()).isEqualTo(200);
    cable.mend();
    await().atMost(ofSeconds(20)).until(() -> gateway.post("{\"kind\":\"k\"}").status() == 201);
    await().atMost(ofSeconds(20)).until(() -> gateway.get("/health/ready").status() == 200);
    assertThat(tasks()).isEqualTo(2);
  }

  @Test
  void aLostAnswer_isSaidAndTheSameIdsAreNotEnqueuedTwice() throws Exception {
    for (boolean many : List.of(false, true)) {
      db.execute("delete from dibs.task");
      CompletableFuture<Answer> answer;
      try (Connection lock = lock()) {
        String task = "{\"kind\":\"k\"}";
        answer =
            CompletableFuture.supplyAsync(
                () -> many ? gateway.postLines(task + "\n" + task) : gateway.post(task));
        awaitBlocked(1);
        cable.loseAnswers();
        lock.rollback();
      }
      int count = many ? 2 : 1;
      await().atMost(ofSeconds(5)).until(() -> tasks() == count);
      cable.cut();
      assertProblem(answer.join(), 503, "outcome-unknown", "nothing is enqueued twice");
      List<String> ids =
          StreamSupport.stream(answer.join().json().path("ids").spliterator(), false)
              .map(JsonNode::stringValue)
              .toList();
      assertThat(ids).hasSize(count);
      cable.mend();
      String again =
          ids.stream()
              .map("{\"kind\":\"k\",\"id\":\"%s\"}\n"::formatted)
              .collect(Collectors.joining());
      await()
          .atMost(ofSeconds(20))
          .until(() -> (many ? gateway.postLines(again) : gateway.post(again)).status() == 200);
      assertThat(tasks()).isEqualTo(count);
    }
  }

  @Test
  void whatTheDatabaseRefuses_isNotSaidInItsWords() {
    db.execute("alter table dibs.task add check (payload::text not like '%" + CANARY + "%')");
    String task = "{\"kind\":\"k\",\"payload\":\"%s\"}".formatted(CANARY);
    assertProblem(gateway.post(task), 422, "refused", "SQLSTATE 23514");
    assertProblem(gateway.postLines(task), 422, "refused", "SQLSTATE 23514");
    assertThat(gateway.post("{\"kind\":\"k\"}").status()).isEqualTo(201);
    db.execute("alter table dibs.task rename to task_was_here");
    assertProblem(gateway.post(task), 500, "failed", "SQLSTATE 42P01", "operator");
  }

  @Test
  void payloadsAndTokens_areNowhereToBeSeen() throws IOException {
    try (TestGateway guarded = withTokens();
        var log = new LogOfAll()) {
      String bearer = "Bearer all-secret";
      List<Answer> answers = new ArrayList<>();
      String good = "{\"kind\":\"k\",\"payload\":{\"%s\":\"%s\"}}".formatted(CANARY, CANARY);
      answers.add(guarded.post(good, "Authorization", bearer));
      answers.add(guarded.post(good + CANARY, "Authorization", bearer));
      answers.add(guarded.post(good.replace("}}", ""), "Authorization", bearer));
      answers.add(guarded.post(good, "Authorization", bearer + CANARY));
      answers.add(guarded.postLines(good + "\n" + good + "\n{", "Authorization", bearer));
      db.execute("alter table dibs.task add check (kind <> 'bad')");
      String bad = good.replace("\"k\"", "\"bad\"");
      answers.add(guarded.post(bad, "Authorization", bearer));
      answers.add(guarded.postLines(bad + "\n" + bad, "Authorization", bearer));
      db.execute("drop table dibs.task cascade");
      answers.add(guarded.post(good, "Authorization", bearer));
      answers.add(guarded.postLines(good, "Authorization", bearer));
      assertThat(answers)
          .extracting(Answer::status)
          .containsExactly(201, 400, 400, 401, 400, 422, 422, 500, 500);
      answers.add(guarded.get("/metrics"));
      assertThat(answers)
          .allSatisfy(answer ->
              assertThat(answer.body() + answer.response().headers().map())
                  .doesNotContain(CANARY, "all-secret"));
      assertThat(log.text())
          .contains("the database refuses tasks: SQLSTATE 42P01")
          .doesNotContain(CANARY, "all-secret");
    }
  }

  @Test
  void stop_answersWhatIsInFlightAndRefusesTheRest() throws Exception {
    CompletableFuture<Answer> inFlight;
    CompletableFuture<Void> stop;
    try (Connection lock = lock()) {
      inFlight = CompletableFuture.supplyAsync(() -> gateway.post("{\"kind\":\"k\"}"));
      awaitBlocked(1);
      stop = CompletableFuture.runAsync(gateway.gateway()::close);
      await().atMost(ofSeconds(5)).until(() -> gateway.get("/health/ready").status() == 503);
      Answer late = gateway.post("{\"kind\":\"k\"}");
      assertProblem(late, 503, "stopping", "another one");
      assertThat(late.header("Retry-After")).contains("1");
      assertThat(stop).isNotDone();
      lock.rollback();
    }
    assertThat(inFlight.join().status()).isEqualTo(201);
    stop.join();
    assertThat(tasks()).isEqualTo(1);
  }

  @Test
  void metrics_countRequestsTasksAndRefusals() {
    String id = NewTask.nextId().toString();
    gateway.post("{\"kind\":\"k\",\"id\":\"%s\"}".formatted(id));
    gateway.post("{\"kind\":\"k\",\"id\":\"%s\"}".formatted(id));
    gateway.postLines("{\"kind\":\"k\"}\n{\"kind\":\"k\"}");
    gateway.post("{}");
    await()
        .atMost(ofSeconds(5)) // a request is counted after its answer
        .untilAsserted(() ->
            assertThat(gateway.get("/metrics").body())
                .contains(
                    "dibs_gateway_request_seconds_count{status=\"201\"} 2",
                    "dibs_gateway_request_seconds_count{status=\"200\"} 1",
                    "dibs_gateway_request_seconds_count{status=\"400\"} 1",
                    "dibs_gateway_tasks_total{result=\"inserted\"} 3.0",
                    "dibs_gateway_tasks_total{result=\"already-there\"} 1.0",
                    "dibs_gateway_rejected_total{reason=\"invalid-task\"} 1.0",
                    "jvm_memory_used_bytes"));
  }

  @Test
  void description_holdsEveryPathAndProblem() {
    Answer answer = gateway.get("/openapi.json");
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("Content-Type")).contains("application/json");
    assertThat(answer.json()).isEqualTo(TestGateway.DESCRIPTION);
    assertThat(answer.json().path("openapi").stringValue()).isEqualTo("3.1.0");
    JsonNode paths = answer.json().path("paths");
    assertThat(paths.propertyNames()).containsExactlyInAnyOrderElementsOf(Gateway.PATHS.keySet());
    JsonNode responses = paths.path(Gateway.TASKS).path("post").path("responses");
    Set<String> statuses = new TreeSet<>(Set.of("200", "201"));
    List<String> types = new ArrayList<>();
    for (ProblemType type : ProblemType.values()) {
      types.add(type.uri());
      if (type != ProblemType.NO_SUCH_PATH) statuses.add(Integer.toString(type.status()));
    }
    assertThat(new TreeSet<>(responses.propertyNames())).isEqualTo(statuses);
    JsonNode known =
        answer
            .json()
            .path("components")
            .path("schemas")
            .path("Problem")
            .path("properties")
            .path("type")
            .path("enum");
    assertThat(StreamSupport.stream(known.spliterator(), false).map(JsonNode::stringValue))
        .containsExactlyElementsOf(types);
  }

  @Test
  void description_holdsEveryFieldOfATask() {
    JsonNode fields =
        TestGateway.DESCRIPTION.path("components").path("schemas").path("Task").path("properties");
    Answer unknown = gateway.post("{\"colour\":1}");
    String known = unknown.detail().replaceFirst(".*known are ", "");
    assertThat(fields.propertyNames()).containsAll(Arrays.asList(known.split(", ", -1)));
  }

  @Test
  void probes_areReadWithoutABody() {
    Answer head =
        gateway.send(gateway.request("/health/ready").method("HEAD", BodyPublishers.noBody()));
    assertThat(head.status()).isEqualTo(200);
    assertThat(head.body()).isEmpty();
  }
}
