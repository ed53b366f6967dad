package dev.dibs.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.console.testing.Scene;
import dev.dibs.console.testing.TestConsole;
import dev.dibs.testing.TestDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Schedules and retentions steered by hand, and the audit of it as a file. */
@Timeout(120)
class ConsoleSteeringTest {
  private static final Pattern NEXT = Pattern.compile("rel=\"next\" href=\"([^\"]*)\"");
  private static TestDatabase database;
  private static TestConsole console;
  private static Client client;
  private static String token;

  @BeforeAll
  static void start() {
    database = TestDatabase.create();
    console = TestConsole.local(database, Role.ADMIN);
    client = new Client(console.url());
    token = client.get("/").token();
  }

  @AfterAll
  static void stop() {
    client.close();
    console.close();
    database.close();
  }

  private static void schedule(String name) {
    database.execute(
        "insert into dibs.schedule (name, cron, zone, kind, queue, next_tick_at) values (?, '30 2 * * *', 'Europe/Berlin', 'report', 'nights', now() + interval '1 h')",
        name);
  }

  private static String request() {
    return UUID.randomUUID().toString();
  }

  private static Client.Page act(String path, String... fields) {
    List<String> all = new ArrayList<>(List.of(fields));
    if (!all.contains("request")) all.addAll(List.of("request", request()));
    return client.post(path, token, all.toArray(String[]::new));
  }

  private static String audited(String target) {
    return String.valueOf(
        database.value(
            "select string_agg(concat_ws(' ', action, actor, result, why), ', ' order by at) from dibs.audit where target = ?",
            target));
  }

  @Test
  void schedule_isPausedByOneAndShownToTheOther() {
    schedule("nightly");
    Client.Page asks = client.get("/schedules/nightly/confirm?do=pause");
    assertThat(asks.body())
        .contains("Pause schedule nightly?", "You are changing orders@pg-1", "It ticks no more");
    assertThat(act("/schedules/nightly/act", "do", "pause").body())
        .contains("A pause needs a reason");
    String request = asks.request();
    Client.Page first =
        act("/schedules/nightly/act", "do", "pause", "why", "INC-1", "request", request);
    assertThat(first.status()).isEqualTo(303);
    assertThat(first.location()).isEqualTo("/schedules/nightly");
    assertThat(client.get("/schedules/nightly").body())
        .contains("paused by local: INC-1", "Resume…", "Run now…");
    assertThat(
            act("/schedules/nightly/act", "do", "pause", "why", "INC-1", "request", request)
                .status())
        .as("the same form once more")
        .isEqualTo(303);
    Client.Page second = act("/schedules/nightly/act", "do", "pause", "why", "INC-2");
    assertThat(second.status()).isEqualTo(409);
    assertThat(second.body()).contains("Nothing was changed", "INC-1");
    assertThat(act("/schedules/nightly/act", "do", "resume").status()).isEqualTo(303);
    assertThat(act("/schedules/nightly/act", "do", "resume").status()).isEqualTo(409);
    assertThat(client.get("/schedules").body()).contains(">Pause…<").doesNotContain("INC-1");
    assertThat(audited("nightly"))
        .isEqualTo(
            "schedule.pause local done INC-1, schedule.pause local stale INC-2, "
                + "schedule.resume local done , schedule.resume local stale ");
  }

  @Test
  void schedule_runsOnceNowAndLeadsToItsTask() {
    schedule("once");
    assertThat(client.get("/schedules/once/confirm?do=run").body())
        .contains("Run now: schedule once?", "kind report is enqueued in queue nights now");
    String request = request();
    Client.Page ran = act("/schedules/once/act", "do", "run", "request", request);
    assertThat(ran.status()).isEqualTo(303);
    assertThat(client.get(ran.location()).body()).contains("report", "Pending");
    assertThat(act("/schedules/once/act", "do", "run", "request", request).location())
        .isEqualTo(ran.location());
    assertThat(database.number("select count(*) from dibs.task where kind = 'report'"))
        .isEqualTo(1);
    database.execute("update dibs.schedule set overlap = 'skip' where name = 'once'");
    Client.Page refused = act("/schedules/once/act", "do", "run");
    assertThat(refused.status()).isEqualTo(409);
    assertThat(refused.body()).contains("it is not to overlap");
  }

  @Test
  void schedule_thatIsGoneOrNotUnderstoodIsLeft() {
    assertThat(client.get("/schedules/gone").status()).isEqualTo(404);
    assertThat(client.get("/schedules/gone/confirm?do=run").status()).isEqualTo(404);
    assertThat(act("/schedules/gone/act", "do", "run").status()).isEqualTo(404);
    assertThat(client.get("/schedules/gone/confirm?do=drop").status()).isIn(400, 404);
    schedule("odd");
    database.execute(
        "update dibs.schedule set cron = 'some day', paused_at = now(), paused_by = 'ana' where name = 'odd'");
    Client.Page page = act("/schedules/odd/act", "do", "resume");
    assertThat(page.status()).isEqualTo(409);
    assertThat(page.body()).contains("is not understood by this build");
  }

  @Test
  void schedules_ofTwoHundredAreFiftyAPage() {
    for (int i = 0; i < 200; i++) schedule("many%03d".formatted(i));
    List<String> seen = new ArrayList<>();
    String path = "/schedules?q=many";
    int pages = 0;
    while (!path.isEmpty()) {
      String body = client.get(path).body();
      Matcher name = Pattern.compile(">(many\\d{3})<").matcher(body);
      while (name.find()) seen.add(name.group(1));
      Matcher next = NEXT.matcher(body);
      path = next.find() ? next.group(1).replace("&amp;", "&") : "";
      pages++;
    }
    assertThat(pages).isEqualTo(4);
    assertThat(seen).hasSize(200).isSorted().doesNotHaveDuplicates();
    assertThat(client.get("/schedules?q=none").body()).contains("No schedule begins with");
    assertThat(client.get("/schedules?after=zzz").body()).contains("None behind this");
  }

  @Test
  void retention_isChangedIfItIsAsSeen() {
    Scene.on(database).waiting(1, "kept", "k", 3, "1 minute");
    Client.Page asks = client.get("/queues/kept/retention");
    assertThat(asks.body()).contains("value=\"7d\"", "value=\"PT168H\"", "cannot be brought back");
    String[] form = {
      "seen-succeeded",
      "PT168H",
      "seen-dead",
      "PT168H",
      "seen-cancelled",
      "PT168H",
      "succeeded",
      "0",
      "dead",
      "30d",
      "cancelled",
      "1d12h",
      "why",
      "disk"
    };
    assertThat(act("/queues/kept/retain", form).status()).isEqualTo(303);
    assertThat(client.get("/queues/kept/retention").body())
        .contains("value=\"0\"", "value=\"30d\"", "value=\"1d12h\"");
    Client.Page stale = act("/queues/kept/retain", form);
    assertThat(stale.status()).isEqualTo(409);
    assertThat(stale.body()).contains("keeps by now", "dead 720:00:00");
    assertThat(audited("kept"))
        .isEqualTo("queue.retain local done disk, queue.retain local stale disk");
  }

  @Test
  void retention_refusesWhatMakesNoSense() {
    String[] form = {
      "seen-succeeded",
      "PT168H",
      "seen-dead",
      "PT168H",
      "seen-cancelled",
      "PT168H",
      "succeeded",
      "1d",
      "dead",
      "1d",
      "cancelled",
      "1d",
      "why",
      "x"
    };
    for (String bad : List.of("soon", "-1d", "1w", "99999d", "")) {
      String[] fields = form.clone();
      fields[7] = bad;
      Client.Page page = act("/queues/nonsense/retain", fields);
      assertThat(page.status()).as(bad).isEqualTo(400);
      assertThat(page.body()).as(bad).contains("succeeded");
    }
    String[] silent = form.clone();
    silent[13] = " ";
    assertThat(act("/queues/nonsense/retain", silent).body()).contains("needs a reason");
    assertThat(audited("nonsense")).isEqualTo("null");
    assertThat(KeptText.of(KeptText.parse("1d12h30m5s"))).isEqualTo("1d12h30m5s");
    assertThat(KeptText.parse("90m")).isEqualTo(Duration.ofMinutes(90));
  }

  @Test
  void auditFile_holdsTheFilteredRangeAndRunsNothing() {
    database.execute(
        """
        insert into dibs.audit (id, at, actor, source, action, target, why, result)
        select gen_random_uuid(), now() - n * interval '1 minute', 'filer', 'cli', 'x.y', 't' || n,
          (array['=cmd|calc', '+1', '-1', '@sum', E'\\tt', 'say "no", twice', E'a\\nb'])[n % 7 + 1], 'done'
        from generate_series(1, 2500) n\
        """);
    Client.Page page = client.get("/audit.csv?who=filer");
    assertThat(page.status()).isEqualTo(200);
    assertThat(page.header("Content-Type").orElse("")).startsWith("text/csv");
    assertThat(page.header("Content-Disposition"))
        .contains("attachment; filename=\"dibs-audit.csv\"");
    assertThat(page.header("X-Content-Type-Options")).contains("nosniff");
    List<String> lines = page.body().lines().toList();
    assertThat(page.body().split("\r\n", -1)).hasSize(2502);
    assertThat(lines.getFirst()).startsWith("\"at\",\"who\",\"login\"");
    assertThat(page.body())
        .contains("\"'=cmd|calc\"", "\"'+1\"", "\"'-1\"", "\"'@sum\"", "\"'\tt\"")
        .contains("\"say \"\"no\"\", twice\"")
        .doesNotContain(",\"=", ",\"+", ",\"-", ",\"@");
    assertThat(client.get("/audit.csv?who=filer&since=-30m").body().split("\r\n", -1).length)
        .isBetween(30, 32);
    assertThat(client.get("/audit.csv?who=filer&target=t7").body()).contains("\"t7\"");
    assertThat(client.get("/audit?who=filer&since=-30m").body())
        .contains("/audit.csv?who=filer&amp;since=-30m");
    assertThat(client.get("/audit.csv?when=now").status()).isEqualTo(400);
    assertThat(client.get("/audit.csv?since=soon").status()).isEqualTo(400);
  }

  @Test
  void auditFile_endsAfterAHundredThousandRows() throws java.io.IOException {
    var row =
        new dev.dibs.AuditRow(
            dev.dibs.Request.of("a", "test", "w"),
            java.time.Instant.EPOCH,
            "l",
            "x.y",
            "t",
            new dev.dibs.AuditRow.Change(java.util.Optional.empty(), java.util.Optional.empty()),
            "done");
    var batch = java.util.Collections.nCopies(AuditFile.BATCH, row);
    var out = new java.io.StringWriter();
    var more = java.util.Optional.of(dev.dibs.Page.Cursor.of(List.of("x")));
    var file = new AuditFile(after -> new dev.dibs.Page<>(batch, batch.size(), more));
    file.write(out, file.batches().apply(java.util.Optional.empty()));
    String[] lines = out.toString().split("\r\n", -1);
    assertThat(lines).hasSize(100_003);
    assertThat(lines[100_001]).contains("not all: the newest 100,000 rows");
  }

  @Test
  void auditFile_isNoPageThatAStreamShows() {
    Client.Page page = client.get("/schedules");
    assertThat(page.status()).isEqualTo(200);
    Route file =
        console.console().router().routes().stream()
            .filter(route -> route.pattern().equals("/audit.csv"))
            .findFirst()
            .orElseThrow();
    assertThat(file.role()).contains(Role.ADMIN);
    assertThat(file.isShownAgain()).isFalse();
    assertThat(console.console().router().match("GET", "/audit").route().isShownAgain()).isTrue();
  }
}
