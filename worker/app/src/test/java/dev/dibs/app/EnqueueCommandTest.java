package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import dev.dibs.testing.TestRoles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnqueueCommandTest {
  private static final String FIVE_LINES_THE_THIRD_BAD =
      """
      {"kind":"a","payload":{"n":1}}
      {"kind":"b","payload":"two"}
      {"kind":"c","payload":{"secret":hunter2}}
      {"kind":"d"}
      {"kind":"e"}
      """;

  private final TestDatabase database = TestDatabase.create();

  @TempDir Path directory;

  @AfterEach
  void drop() {
    database.close();
  }

  private Run enqueue(String... args) {
    return enqueueWith("", args);
  }

  private Run enqueueWith(String in, String... args) {
    String[] all =
        Stream.concat(Stream.of("enqueue", "--database-url", database.url()), Stream.of(args))
            .toArray(String[]::new);
    return Run.dibs(in, Map.of(), all);
  }

  @Test
  void whoMayDoNothingElse_enqueuesAllTheSame() {
    try (TestRoles roles = new TestRoles()) {
      String url =
          "%s?user=%s&password=%s"
              .formatted(
                  roles.db().url().replaceFirst("[?].*", ""),
                  roles.userName("producer"),
                  roles.password());
      String[] args = {"enqueue", "--database-url", url, "--schema", roles.schema().name(), "-"};
      var run =
          Run.dibs(
              """
              {"kind":"a","delay":"5m"}
              {"kind":"a","uniqueKey":"k","uniqueWindow":"1h"}
              {"kind":"a","uniqueKey":"k","uniqueWindow":"1h"}
              """,
              Map.of(),
              args);
      assertThat(run.err()).contains("kinds are not checked: this user may not see the workers");
      assertThat(run.code()).isZero();
      assertThat(roles.db().number("select count(*) from %s.task".formatted(roles.schema().name())))
          .isEqualTo(2);
    }
  }

  @Test
  void oneTask_isEnqueuedAsTheOptionsSay() {
    var run =
        enqueue(
            "--kind",
            "mail",
            "--payload",
            "{\"to\":1.50}",
            "--queue",
            "post",
            "--priority",
            "high",
            "--max-attempts",
            "3",
            "--timeout",
            "90s",
            "--header",
            "tag=a",
            "--header",
            "who=me",
            "--delay",
            "1h");
    assertThat(run.code()).isZero();
    assertThat(run.out())
        .isEqualToNormalizingNewlines(
            "enqueued 1 task: " + database.value("select id from dibs.task") + "\n");
    assertThat(
            database.value(
                "select concat_ws(' ', queue, kind, priority, max_attempts, timeout, payload, headers, status) from dibs.task"))
        .isEqualTo(
            "post mail 2 3 00:01:30 {\"to\": 1.50} {\"tag\": \"a\", \"who\": \"me\"} SCHEDULED");
    assertThat(
            database.number(
                "select extract(epoch from run_at - created_at)::bigint from dibs.task"))
        .isEqualTo(3600);
  }

  @Test
  void oneTask_tellsTheIdOfWhatHoldsItsUniqueKey() {
    String[] args = {"--kind", "mail", "--unique-key", "k"};
    assertThat(enqueue(args).code()).isZero();
    String id = database.value("select id from dibs.task");
    assertThat(enqueue(args).out())
        .isEqualToNormalizingNewlines(
            "enqueued 0 tasks (1 left to others of their unique keys): " + id + "\n");
  }

  @Test
  void fileOfOneTask_tellsItsIdToo() {
    assertThat(enqueueWith("{\"kind\":\"a\"}\n", "-").out())
        .isEqualToNormalizingNewlines(
            "enqueued 1 task: " + database.value("select id from dibs.task") + "\n");
  }

  @Test
  void runAt_isTaken() {
    assertThat(enqueue("--kind", "mail", "--run-at", "2099-01-31T02:30:00+01:00").code()).isZero();
    assertThat(database.value("select run_at at time zone 'UTC' from dibs.task"))
        .isEqualTo("2099-01-31 01:30:00");
  }

  @Test
  void payload_comesFromAFileOrStandardInput() throws Exception {
    Path file = Files.writeString(directory.resolve("payload.json"), "[ 1 ]\n");
    assertThat(enqueue("--kind", "a", "--payload", "@" + file).code()).isZero();
    assertThat(enqueueWith("[2]", "--kind", "b", "--payload", "-").code()).isZero();
    assertThat(database.value("select string_agg(payload::text, ' ' order by kind) from dibs.task"))
        .isEqualTo("[1] [2]");
  }

  @Test
  void json_printsTheIds() {
    var run = enqueue("--kind", "mail", "--json");
    assertThat(run.out())
        .matches("\\{\"id\":\"[0-9a-f-]{36}\",\"inserted\":true,\"landing\":\"INSERTED\"}\n");
    UUID id = UUID.fromString(run.out().substring(7, 43));
    assertThat(database.number("select count(*) from dibs.task where id = ?", id)).isEqualTo(1);
  }

  @Test
  void environment_givesThePayload() {
    var run =
        Run.dibs(
            "",
            Map.of(
                "DIBS_DATABASE_URL",
                database.url(),
                "DIBS_ENQUEUE_PAYLOAD",
                "[7]",
                "DIBS_ENQUEUE_KIND",
                "x"),
            "enqueue");
    assertThat(run.code()).isZero();
    assertThat(database.value("select payload from dibs.task")).isEqualTo("[7]");
  }

  @Test
  void neitherKindNorFile_isWrongUsage() {
    assertThat(enqueue().code()).isEqualTo(2);
  }

  @Test
  void wrongOptions_areWrongUsageWithTheValue() {
    assertWrongUsage(enqueue("--kind", "x", "--priority", "asap"), "'asap'");
    assertWrongUsage(enqueue("--kind", "x", "--delay", "soon"), "'soon'");
    assertWrongUsage(enqueue("--kind", "x", "--delay", "-PT1S"), "PT-1S");
    assertWrongUsage(enqueue("--kind", "x", "--run-at", "tomorrow"), "'tomorrow'");
    assertWrongUsage(
        enqueue("--kind", "x", "--run-at", "2030-01-01T00:00:00Z", "--delay", "1s"),
        "either --delay");
    assertWrongUsage(enqueue("--kind", "x", "--max-attempts", "0"), "was 0");
    assertWrongUsage(enqueue("--kind", "x", "--queue", "q".repeat(200)), "has 200");
    assertWrongUsage(enqueue("--kind", "x", "--payload", "@/no/such"), "/no/such");
    assertWrongUsage(enqueue("/no/such.jsonl"), "/no/such.jsonl");
  }

  private void assertWrongUsage(Run run, String value) {
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains(value, "see `dibs enqueue --help`").hasLineCount(1);
    assertThat(database.tasks("PENDING")).isZero();
  }

  @Test
  void badPayload_failsWithoutShowingIt() {
    var run = enqueue("--kind", "x", "--payload", "{hunter2}");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("must be valid JSON").doesNotContain("hunter2");
    assertThat(database.tasks("PENDING")).isZero();
  }

  @Test
  void oversizedPayload_fails() {
    var run = enqueue("--kind", "x", "--payload", "\"" + "x".repeat(300_000) + "\"");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("300002 bytes", "at most 262144");
  }

  @Test
  void unknownKind_isRefusedWhileWorkersLiveThatDoNotKnowIt() {
    database.execute(
        "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, lease_until) values"
            + " (gen_random_uuid(), 'h', 1, '1', '{default}', '{known}', 1, clock_timestamp() + interval '1 minute'),"
            + " (gen_random_uuid(), 'h', 2, '1', '{default}', '{gone}', 1, clock_timestamp() - interval '1 minute')");
    assertThat(enqueue("--kind", "known").err()).isEmpty();
    var refused = enqueue("--kind", "gone");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .contains("no live worker knows kind 'gone', they know known")
        .hasLineCount(1);
    assertThat(enqueue("--kind", "gone", "--any-kind").code()).isZero();
    assertThat(database.tasks("PENDING")).isEqualTo(2);
  }

  private void workerLives() {
    database.execute(
        "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, lease_until) values"
            + " (gen_random_uuid(), 'h', 1, '1', '{mail}', '{noop}', 1, clock_timestamp() + interval '1 minute')");
  }

  @Test
  void queueThatNoLiveWorkerServes_isTakenAndSaid() {
    assertThat(enqueue("--kind", "noop", "--queue", "mial").err())
        .contains("no worker is alive")
        .doesNotContain("mial");
    workerLives();
    var run = enqueue("--kind", "noop", "--queue", "mial");
    assertThat(run.code()).isZero();
    assertThat(run.err())
        .isEqualToNormalizingNewlines(
            "dibs: no live worker serves queue 'mial', they serve mail: tasks wait until one does\n");
    assertThat(enqueue("--kind", "noop", "--queue", "mail").err()).isEmpty();
    assertThat(database.tasks("PENDING")).isEqualTo(3);
  }

  @Test
  void queuesOfAFileThatNoLiveWorkerServes_areSaidOnceAndTheFirstOfMany() {
    workerLives();
    var two =
        enqueueWith(
            "{\"queue\":\"b\"}\n{\"queue\":\"a\"}\n{\"queue\":\"b\"}\n{}\n",
            "--kind",
            "noop",
            "--queue",
            "mail",
            "-");
    assertThat(two.err()).hasLineCount(1).contains("no live worker serves queue 'a', 'b', they");
    String many =
        IntStream.range(0, 30)
            .mapToObj(n -> "{\"kind\":\"noop\",\"queue\":\"q" + n + "\"}\n")
            .collect(Collectors.joining());
    assertThat(enqueueWith(many, "-").err()).hasLineCount(1).contains("'q9'").doesNotContain("q10");
  }

  @Test
  void file_isEnqueuedWhole() throws Exception {
    String lines =
        IntStream.range(0, 2_500)
            .mapToObj(n -> "{\"kind\":\"k\",\"payload\":{\"n\":" + n + "}}\n")
            .collect(Collectors.joining());
    Path file = Files.writeString(directory.resolve("tasks.jsonl"), lines);
    var run = enqueue(file.toString());
    assertThat(run.out()).isEqualToNormalizingNewlines("enqueued 2500 tasks\n");
    assertThat(database.number("select count(distinct payload->>'n') from dibs.task"))
        .isEqualTo(2_500);
  }

  @Test
  void file_printsAnIdForEveryLineWithJson() {
    var run = enqueueWith("{\"kind\":\"a\"}\n{\"kind\":\"b\"}\n", "--json", "-");
    assertThat(run.out().lines())
        .hasSize(2)
        .allMatch(line ->
            line.matches("\\{\"id\":\"[^\"]+\",\"inserted\":true,\"landing\":\"INSERTED\"}"));
  }

  @Test
  void line_takesEveryField() {
    var run =
        enqueueWith(
            """
            {"kind":"a","queue":"q","priority":1,"runAt":"2099-01-01T00:00:00Z","maxAttempts":2,"timeout":"PT3S","headers":{"h":"v"},"payload":[1.10,"x, y"]}
            {"payload": "text\\n" , "kind":"b","priority":"low","delay":"2d"}
            """,
            "-");
    assertThat(run.err()).contains("no worker is alive").hasLineCount(1);
    assertThat(run.code()).isZero();
    assertThat(
            database.value(
                "select string_agg(concat_ws(' ', queue, priority, max_attempts, timeout, headers, payload), '|' order by kind) from dibs.task"))
        .isEqualTo("q 1 2 00:00:03 {\"h\": \"v\"} [1.10, \"x, y\"]|default 4 25 \"text\\n\"");
  }

  @Test
  void line_inheritsWhatTheOptionsSay() {
    assertThat(
            enqueueWith(
                    "{\"payload\":1}\n{\"queue\":\"own\"}\n", "--kind", "k", "--queue", "q", "-")
                .code())
        .isZero();
    assertThat(
            database.value(
                "select string_agg(kind || queue, ' ' order by position) from dibs.task"))
        .isEqualTo("kq kown");
  }

  @Test
  void badLine_meansNothingIsEnqueued() {
    var run = enqueueWith(FIVE_LINES_THE_THIRD_BAD, "-");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("line 3: is not valid JSON").doesNotContain("hunter2");
    assertThat(run.out()).isEmpty();
    assertThat(database.number("select count(*) from dibs.task")).isZero();
  }

  @Test
  void badLine_isLeftOutWhenKeptGoing() {
    var run = enqueueWith(FIVE_LINES_THE_THIRD_BAD, "--keep-going", "-");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err())
        .contains("dibs: line 3: is not valid JSON")
        .doesNotContain("line 4", "hunter2");
    assertThat(run.out()).isEqualToNormalizingNewlines("enqueued 4 tasks\n");
    assertThat(database.number("select count(*) from dibs.task")).isEqualTo(4);
  }

  @Test
  void oversizedLine_isNamedAndLeftOutWhenKeptGoing() {
    String lines =
        "{\"kind\":\"a\"}\n{\"kind\":\"b\",\"payload\":\""
            + "x".repeat(300_000)
            + "\"}\n{\"kind\":\"c\"}\n";
    var whole = enqueueWith(lines, "-");
    assertThat(whole.code()).isEqualTo(1);
    assertThat(whole.err()).contains("line 2: a payload of kind 'b' has 300002 bytes");
    assertThat(database.number("select count(*) from dibs.task")).isZero();
    var parts = enqueueWith(lines, "--keep-going", "-");
    assertThat(parts.code()).isEqualTo(1);
    assertThat(database.value("select string_agg(kind, '' order by kind) from dibs.task"))
        .isEqualTo("ac");
  }

  @Test
  void lines_thatMeanNoTaskSayWhy() {
    assertLine(
        "{\"kind\":\"a\",\"colour\":1}",
        "line 1: has an unknown field 'colour'; known are kind, payload");
    assertLine("{\"payload\":1}", "line 1: has no kind");
    assertLine("[]", "line 1: must be a JSON object");
    assertLine("{\"kind\":\"a\"} {}", "line 1: holds more than one");
    assertLine("{\"kind\":\"a\",\"kind\":\"b\"}", "line 1: is not valid JSON");
    assertLine("{\"kind\":\"a\"", "line 1: is not valid JSON");
    assertLine("{\"kind\":7}", "line 1: kind must be a string");
    assertLine("{\"kind\":\"a\",\"priority\":\"asap\"}", "line 1: priority must be urgent");
    assertLine("{\"kind\":\"a\",\"priority\":9}", "line 1: priority must be 1");
    assertLine("{\"kind\":\"a\",\"priority\":[]}", "line 1: priority must be a string");
    assertLine(
        "{\"kind\":\"a\",\"maxAttempts\":1.5}", "line 1: maxAttempts must be a whole number");
    assertLine("{\"kind\":\"a\",\"delay\":\"soon\"}", "line 1: a duration must be like");
    assertLine(
        "{\"kind\":\"a\",\"delay\":\"1s\",\"runAt\":\"2030-01-01T00:00:00Z\"}", "line 1: has both");
    assertLine("{\"kind\":\"a\",\"headers\":{\"h\":1}}", "line 1: a header must be a string");
    assertLine("{\"kind\":\"a\",\"payload\":\"\\u0000\"}", "line 1: a payload must not hold NUL");
  }

  private void assertLine(String line, String message) {
    var run = enqueueWith(line + "\n", "-");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().lines().filter(text -> !text.contains("no live worker")))
        .singleElement()
        .asString()
        .contains(message);
    assertThat(database.number("select count(*) from dibs.task")).isZero();
  }

  @Test
  void oddLines_areRead() throws Exception {
    Path file = directory.resolve("odd.jsonl");
    Files.writeString(file, "\uFEFF{\"kind\":\"ä\"}\r\n\r\n   \n{\"kind\":\"b\"}");
    assertThat(enqueue(file.toString()).out()).contains("enqueued 2 tasks");
    Files.write(file, new byte[] {'"', (byte) 0xC3, '"', '\n'});
    assertThat(enqueue(file.toString()).err()).contains("line 1: is not valid UTF-8");
  }

  @Test
  void emptyFile_enqueuesNothing() {
    assertThat(enqueueWith("", "-").out()).isEqualToNormalizingNewlines("enqueued 0 tasks\n");
  }
}
