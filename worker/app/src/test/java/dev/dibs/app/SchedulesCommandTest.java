package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import dev.dibs.testing.TestRoles;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

class SchedulesCommandTest {
  private final TestDatabase database = TestDatabase.create();

  @AfterEach
  void drop() {
    database.close();
  }

  private Run schedules(String... args) {
    String[] all = Stream.concat(Stream.of("schedules"), Stream.of(args)).toArray(String[]::new);
    return Run.dibs("", Map.of("DIBS_DATABASE_URL", database.url()), all);
  }

  private Run addNightly(String... more) {
    List<String> args =
        List.of(
            "add",
            "nightly",
            "--cron",
            "30 2 * * *",
            "--zone",
            "Europe/Berlin",
            "--kind",
            "report");
    return schedules(Stream.concat(args.stream(), Stream.of(more)).toArray(String[]::new));
  }

  private static void assertFailed(Run run, String message) {
    assertThat(run.err()).isEqualToNormalizingNewlines("dibs: " + message + "\n");
    assertThat(run.out()).isEmpty();
    assertThat(run.code()).isEqualTo(1);
  }

  @Test
  void add_saysWhenItTicksNext() {
    var run =
        addNightly(
            "--queue",
            "reports",
            "--payload",
            "{\"of\":1}",
            "--misfire",
            "catch-up:3",
            "--overlap",
            "skip",
            "--jitter",
            "90s",
            "--priority",
            "low",
            "--timeout",
            "5m",
            "--header",
            "a=b");
    assertThat(run.err()).contains("no worker is alive");
    assertThat(run.out())
        .matches(
            "added schedule 'nightly', next at \\d{4}-\\d\\d-\\d\\dT0[23]:[03]0:00\\+0[12]:00\\R");
    assertThat(run.code()).isZero();
    assertThat(
            database.value(
                "select concat_ws(' ', cron, zone, kind, queue, payload::text, headers::text, priority, timeout,"
                    + " misfire, catch_up, overlap, jitter) from dibs.schedule"))
        .isEqualTo(
            "30 2 * * * Europe/Berlin report reports {\"of\": 1} {\"a\": \"b\"} 4 00:05:00 catch-up 3 skip 00:01:30");
  }

  @Test
  void add_refusesANameThatIsTakenUnlessItIsToReplace() {
    addNightly();
    assertFailed(
        addNightly(), "there is a schedule 'nightly' already; give --replace to change it");
    var run = schedules("add", "nightly", "--every", "90m", "--kind", "report", "--replace");
    assertThat(run.out()).startsWith("changed schedule 'nightly', next at ");
    assertThat(database.value("select concat_ws(' ', cron, every, version) from dibs.schedule"))
        .isEqualTo("01:30:00 2");
  }

  @Test
  void add_saysThatNoLiveWorkerServesTheQueue() {
    database.execute(
        "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, lease_until) values"
            + " (gen_random_uuid(), 'box', 4711, '1.0', '{mail}', '{report}', 8, clock_timestamp() + interval '1 hour')");
    var run = schedules("add", "hourly", "--every", "1h", "--kind", "report", "--queue", "mial");
    assertThat(run.code()).isZero();
    assertThat(run.err()).contains("no live worker serves queue 'mial', they serve mail");
  }

  @Test
  void add_refusesAKindThatNoLiveWorkerKnows() {
    database.execute(
        "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, lease_until) values"
            + " (gen_random_uuid(), 'box', 4711, '1.0', '{default}', '{http}', 8, clock_timestamp() + interval '1 hour')");
    assertFailed(
        addNightly(),
        "no live worker knows kind 'report', they know http; start one that does, or give --any-kind");
    assertThat(addNightly("--any-kind").code()).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "--kind,k | give --cron or --every, and one of them only",
        "--kind,k,--cron,@daily,--every,1h | give --cron or --every, and one of them only",
        "--cron,@daily | give --kind: what the tasks are to do",
        "--kind,k,--every,1h,--zone,UTC | --zone goes with --cron: --every needs no clock",
        "--kind,k,--cron,61 * * * * | cron expression '61 * * * *': minute '61' must be 0 to 59",
        "--kind,k,--every,10ms | an interval must be whole seconds from 1 s to 366 days, was PT0.01S",
        "--kind,k,--cron,@daily,--zone,Mars | Invalid value for option '--zone': a zone must be like Europe/Berlin or UTC, was 'Mars'",
        "--kind,k,--cron,@daily,--misfire,no | Invalid value for option '--misfire': misfire must be skip, once or catch-up:N, was 'no'",
        "--kind,k,--cron,@daily,--overlap,no | Invalid value for option '--overlap': overlap must be allow or skip, was 'no'",
        "--kind,k,--cron,@daily,--jitter,2d | jitter must be between 0 and 1 day, was PT48H"
      })
  void add_refusesNonsenseWithValueAndReason(String options, String message) {
    String[] args =
        Stream.concat(Stream.of("add", "s"), Stream.of(options.split(",", -1)))
            .toArray(String[]::new);
    var run = schedules(args);
    assertThat(run.err())
        .isEqualToNormalizingNewlines("dibs: " + message + "; see `dibs schedules add --help`\n");
    assertThat(run.code()).isEqualTo(2);
    assertThat(database.number("select count(*) from dibs.schedule")).isZero();
  }

  @Test
  void list_showsEachWithItsStateAndNoPayload() {
    assertThat(schedules("list").out()).isEqualToNormalizingNewlines("no schedules\n");
    addNightly("--payload", "{\"secret\":\"hunter2\"}");
    schedules("add", "hourly", "--every", "1h", "--kind", "report");
    schedules("pause", "hourly", "--why", "too loud", "--by", "ada");
    var run = schedules("list");
    assertThat(run.out().replaceAll(" +", " "))
        .contains("SCHEDULE RHYTHM KIND QUEUE NEXT LAST STATE")
        .contains("hourly every 1h report default - - paused by ada: too loud")
        .containsPattern("nightly 30 2 \\* \\* \\* Europe/Berlin report default \\d{4}.* - active")
        .doesNotContain("hunter2");
  }

  @Test
  void json_isALineASchedule() {
    addNightly("--jitter", "1500ms");
    schedules("pause", "nightly", "--why", "x", "--by", "ada");
    var run = schedules("list", "--json");
    assertThat(run.out()).hasLineCount(1);
    var node = JsonMapper.shared().readTree(run.out());
    assertThat(node.get("name").asString()).isEqualTo("nightly");
    assertThat(node.get("cron").asString()).isEqualTo("30 2 * * *");
    assertThat(node.get("zone").asString()).isEqualTo("Europe/Berlin");
    assertThat(node.get("jitterSeconds").asDouble()).isEqualTo(1.5);
    assertThat(node.get("paused").get("by").asString()).isEqualTo("ada");
    assertThat(node.has("lastTick")).isFalse();
    assertThat(
            JsonMapper.shared()
                .readTree(addNightly("--replace", "--json").out())
                .get("version")
                .asInt())
        .isEqualTo(2);
  }

  @Test
  void next_showsTicksAsTheZonesClockDoes() {
    addNightly();
    database.execute("update dibs.schedule set next_tick_at = '2026-10-24T00:30:00Z'");
    assertThat(schedules("next", "nightly", "-n", "3").out())
        .isEqualToNormalizingNewlines(
            """
            2026-10-24T02:30:00+02:00
            2026-10-25T02:30:00+02:00
            2026-10-26T02:30:00+01:00
            """);
    assertThat(schedules("next", "nightly", "-n", "1", "--json").out())
        .isEqualToNormalizingNewlines(
            "{\"tick\":\"2026-10-24T00:30:00Z\",\"local\":\"2026-10-24T02:30:00+02:00\"}\n");
    assertThat(schedules("next", "nightly", "-n", "0").err())
        .contains("-n must be 1 to 10000, was 0");
  }

  @Test
  void next_ofAPausedScheduleSaysSo() {
    addNightly();
    schedules("pause", "nightly", "--why", "the database moves", "--by", "ada");
    var run = schedules("next", "nightly");
    assertThat(run.out()).hasLineCount(5);
    assertThat(run.err()).contains("schedule 'nightly' is paused by ada: the database moves");
  }

  @Test
  void pauseResumeRemove_sayWhatTheyDid() {
    addNightly();
    assertThat(schedules("pause", "nightly", "--why", "x").out())
        .isEqualToNormalizingNewlines("paused schedule 'nightly'\n");
    assertThat(schedules("resume", "nightly").out())
        .startsWith("resumed schedule 'nightly', next at 2");
    assertThat(schedules("remove", "nightly").out())
        .isEqualToNormalizingNewlines("removed schedule 'nightly'\n");
    assertThat(database.number("select count(*) from dibs.schedule")).isZero();
  }

  @Test
  void pauseResumeRun_areAuditedAndWhoComesSecondIsTold() {
    addNightly();
    assertThat(schedules("pause", "nightly", "--why", "INC-1", "--by", "ana").code()).isZero();
    assertFailed(
        schedules("pause", "nightly", "--why", "other", "--by", "bob"),
        "schedule 'nightly' is paused by ana: INC-1; it was left so");
    Run run = schedules("run", "nightly", "--why", "once", "--by", "bob");
    assertThat(run.out())
        .isEqualToNormalizingNewlines(
            "enqueued task "
                + database.value("select id::text from dibs.task where kind = 'report'")
                + " of schedule 'nightly'\n");
    assertThat(schedules("resume", "nightly", "--by", "bob").code()).isZero();
    assertFailed(
        schedules("resume", "nightly"), "schedule 'nightly' was not paused; it was left so");
    addNightly("--replace", "--overlap", "skip");
    Run refused = schedules("run", "nightly");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err()).contains("has not ended, and it is not to overlap; it was left so");
    assertThat(
            database.value(
                "select string_agg(concat_ws(' ', action, actor, source, result), ', ' order by at) from dibs.audit where actor in ('ana', 'bob')"))
        .isEqualTo(
            "schedule.pause ana cli done, schedule.pause bob cli stale, schedule.run bob cli done, schedule.resume bob cli done");
  }

  @Test
  void pauseResumeRun_takeTheRoleOperatorAlone() {
    try (var roles = new TestRoles()) {
      String schema = roles.schema().name();
      roles
          .db()
          .execute(
              "insert into %s.schedule (name, every, kind, next_tick_at) values ('s', '1 hour', 'k', now())"
                  .formatted(schema));
      Map<String, String> operator =
          Map.of(
              "DIBS_DATABASE_URL", roles.db().url(),
              "DIBS_DATABASE_USER", roles.userName("operator"),
              "DIBS_DATABASE_PASSWORD", roles.password(),
              "DIBS_SCHEMA", schema);
      for (String command : List.of("pause s --why x", "run s", "resume s")) {
        Run run = Run.dibs("", operator, ("schedules " + command).split(" ", -1));
        assertThat(run.err()).as(command).isEmpty();
        assertThat(run.code()).as(command).isZero();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"pause nope --why x", "resume nope", "run nope", "remove nope", "next nope"})
  void anUnknownName_isNamedBesideThoseThereAre(String command) {
    assertFailed(
        schedules(command.split(" ", -1)),
        "there is no schedule 'nope'; there are none, `dibs schedules add` adds one");
    addNightly();
    assertFailed(
        schedules(command.split(" ", -1)), "there is no schedule 'nope'; there are 'nightly'");
  }

  @Test
  void pause_wantsToKnowWhy() {
    var run = schedules("pause", "nightly");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("--why");
  }

  @Test
  void help_listsTheCommands() {
    var run = Run.dibs("schedules", "--help");
    assertThat(run.out()).contains("list", "add", "pause", "resume", "run", "remove", "next");
    var add = Run.dibs("schedules", "add", "--help");
    assertThat(add.out().replaceAll("\\s+", " "))
        .contains("--cron", "default: once, DIBS_SCHEDULES_ADD_MISFIRE")
        .doesNotContain("--delay");
    assertThat(Run.dibs("schedules").code()).isEqualTo(2);
  }
}
