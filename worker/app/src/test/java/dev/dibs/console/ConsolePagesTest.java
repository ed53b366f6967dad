package dev.dibs.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.console.testing.Scene;
import dev.dibs.console.testing.TestConsole;
import dev.dibs.testing.TestDatabase;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the pages show, and what they make of addresses that nobody meant. */
@Timeout(120)
class ConsolePagesTest {
  private static final Pattern TASK = Pattern.compile("<tr role=\"row\" id=\"t-([0-9a-f-]{36})\"");
  private static final Pattern NEXT = Pattern.compile("rel=\"next\" href=\"([^\"]*)\"");
  private static final Pattern PREVIOUS = Pattern.compile("rel=\"prev\" href=\"([^\"]*)\"");

  private static TestDatabase database;
  private static TestConsole console;
  private static Client client;

  @BeforeAll
  static void start() {
    database = TestDatabase.create();
    Scene.on(database).workers().tasks().bulks().hostile();
    database.execute(
        "insert into dibs.schedule (name, every, kind, next_tick_at) values ('mail', '1 hour', 'k', now())");
    console = TestConsole.local(database, Role.ADMIN);
    client = new Client(console.url()).looked();
  }

  @AfterAll
  static void stop() {
    client.close();
    console.close();
    database.close();
  }

  /** Every page that is got, for the queue and kind of the scene. */
  private static List<String> pages(String name) {
    List<String> pages = new ArrayList<>();
    for (Route route : console.console().router().routes()) {
      if (!route.method().equals("GET") || route.role().isEmpty()) continue;
      if (route.pattern().matches("/live|/find|/audit.csv|/bulk/new|.*confirm")) continue;
      String id =
          route.pattern().startsWith("/workers")
              ? Scene.worker(9).toString()
              : Scene.hostileTask().toString();
      pages.add(
          route
              .pattern()
              .replace("{id}", id)
              .replace("{name}", Client.encoded(name).replace("+", "%20")));
    }
    for (String status :
        List.of("PROCESSING", "DEAD", "PENDING", "SCHEDULED", "BLOCKED", "SUCCEEDED", "CANCELLED"))
      pages.add("/tasks?status=" + status);
    return pages;
  }

  @Test
  void everyPage_isAnswered() {
    for (String path : pages("mail")) {
      Client.Page page = client.get(path);
      assertThat(page.status()).as(path).isEqualTo(200);
      assertThat(page.body()).as(path).contains("<h1>", "[test]", "orders@pg-1 (primary)");
    }
  }

  @Test
  void hostileText_isInertOnEveryPage() {
    List<String> pages = new ArrayList<>(pages(Scene.cut(Scene.HOSTILE)));
    String name = Client.encoded(Scene.cut(Scene.HOSTILE));
    pages.add("/tasks?status=DEAD&queue=" + name + "&kind=" + name + "&error=" + name);
    pages.add("/bulk/" + Scene.hostileTask() + "/confirm?do=resume");
    String all = "status=DEAD&queue=" + name + "&kind=" + name + "&error=" + name;
    pages.add("/bulk/new?" + all);
    pages.add("/bulk/new?do=retry&" + all);
    pages.add("/bulk/new?do=move&status=PENDING&queue=" + name + "&to=" + name);
    pages.add("/queues?q=" + name);
    pages.add("/kinds?q=" + name);
    pages.add("/workers?queue=" + name);
    pages.add("/failures?queue=" + name + "&kind=" + name);
    pages.add("/audit?who=" + name + "&action=" + name.substring(0, 20) + "&target=" + name);
    pages.add("/queues/" + name.replace("+", "%20") + "/confirm?do=resume");
    pages.add("/kinds/" + name.replace("+", "%20") + "/confirm?do=resume");
    pages.add("/schedules/" + name.replace("+", "%20") + "/confirm?do=resume");
    pages.add("/schedules?q=" + name);
    pages.add("/workers/" + Scene.worker(9) + "/confirm?do=drain");
    pages.add("/tasks/confirm?do=cancel&task=" + Scene.hostileTask() + ":PROCESSING:1");
    int shown = 0;
    for (String path : pages) {
      Client.Page page = client.get(path);
      assertThat(page.status()).as(path).isIn(200, 400);
      assertThat(page.body())
          .as(path)
          .doesNotContain("<img", "<script>", "\u202E", "\u0007", "href=\"javascript:")
          .doesNotContainPattern("<[^>]*\\sonerror=");
      if (page.body().contains("&lt;img src=x")) shown++;
    }
    assertThat(shown).as("pages that do show it").isGreaterThan(15);
  }

  @Test
  void unseenCharacters_areShownAsCodes() {
    assertThat(client.get("/tasks/" + Scene.hostileTask()).body()).contains("[U+202E]");
    assertThat(SafeOutput.visible("a\tb\nc\u200Bd")).isEqualTo("a\tb\nc[U+200B]d");
  }

  @Test
  void longErrors_areCut() {
    Client.Page page = client.get("/tasks/" + Scene.hostileTask());
    assertThat(page.body()).contains("… cut at 64 KiB").hasSizeLessThan(1 << 20);
  }

  @Test
  void unfitParameters_areRefusedByName() {
    for (String path :
        List.of(
            "/tasks?size=100000",
            "/tasks?size=-1",
            "/tasks?status=LOST",
            "/tasks?prio=9",
            "/tasks?since=yesterday",
            "/tasks?since=-999999999d",
            "/tasks?worker=1",
            "/tasks?quueue=mail",
            "/tasks?queue=a&queue=b",
            "/tasks?header=x",
            "/audit?since=yesterday",
            "/schedules?page=2",
            "/tasks?queue=" + "q".repeat(200),
            "/tasks?kind=%FF",
            "/failures?hours=1000000000",
            "/queues?sort=rate",
            "/audit?after=..",
            "/tasks/1",
            "/tasks/0-0-0-0-0",
            "/workers/x",
            "/?window=1e9",
            "/tasks/confirm?do=cancel",
            "/tasks/confirm?do=explode&task=x",
            "/queues/mail/confirm?do=purge",
            "/bulk?after=1",
            "/bulk/1",
            "/bulk/new",
            "/bulk/new?do=retry&status=DEAD",
            "/bulk/new?do=retry&queue=mail",
            "/bulk/new?do=retry&status=SUCCEEDED&queue=mail",
            "/bulk/new?do=explode&status=DEAD&queue=mail",
            "/bulk/new?do=prioritise&to=9&status=PENDING&queue=mail",
            "/bulk/new?do=reschedule&to=soon&status=PENDING&queue=mail",
            "/bulk/new?do=retry&status=DEAD&queue=mail&size=50",
            "/bulk/" + Scene.hostileTask() + "/confirm?do=delete")) {
      Client.Page page = client.get(path);
      assertThat(page.status()).as(path).isEqualTo(400);
    }
    assertThat(client.get("/tasks?quueue=mail").body())
        .contains("There is no parameter 'quueue' here");
  }

  @Test
  void unknownThings_areNotFound() {
    assertThat(client.get("/tasks/0197f3c2-7b1e-7a33-9d52-1f0c6f3b9a11").body())
        .contains("neither unfinished nor in the history", "It was made about 2025-07-10");
    assertThat(client.get("/workers/0197f3c2-7b1e-7a33-9d52-1f0c6f3b9a11").status()).isEqualTo(404);
    assertThat(client.get("/tasks/a/b").status()).isEqualTo(404);
    assertThat(client.send(client.request("/").DELETE()).status()).isEqualTo(405);
  }

  /** The ids of a page's rows. */
  private static List<String> rows(String body) {
    List<String> ids = new ArrayList<>();
    Matcher task = TASK.matcher(body);
    while (task.find()) ids.add(task.group(1));
    return ids;
  }

  /** Where a link of a page leads; empty: there is none. */
  private static String link(Pattern pattern, String body) {
    Matcher link = pattern.matcher(body);
    return link.find() ? link.group(1).replace("&amp;", "&") : "";
  }

  @Test
  void paging_showsEachRowOnceThereAndBack() {
    database.execute(
        """
        insert into dibs.task_history (id, created_at, run_at, finished_at, status, priority, attempt, failures, losses,
          max_attempts, queue, kind, payload)
        select gen_random_uuid(), now(), now(), '2026-01-02T03:04:05Z', 'DEAD', 3, 1, 1, 0, 1, 'one-moment', 'k', '{}'
        from generate_series(1, 500)
        """);
    List<List<String>> there = new ArrayList<>();
    String path = "/tasks?status=DEAD&queue=one-moment&size=50";
    String body = "";
    for (; !path.isEmpty(); path = link(NEXT, body)) {
      body = client.get(path).body();
      there.add(rows(body));
    }
    List<String> all = there.stream().flatMap(List::stream).toList();
    assertThat(there).hasSize(10);
    assertThat(new HashSet<>(all)).as("of %s rows", all.size()).hasSize(500);
    assertThat(all).hasSize(500);
    List<List<String>> back = new ArrayList<>(List.of(there.getLast()));
    for (path = link(PREVIOUS, body); !path.isEmpty(); path = link(PREVIOUS, body)) {
      body = client.get(path).body();
      back.addFirst(rows(body));
    }
    assertThat(back).isEqualTo(there);
    assertThat(body).as("the first page").doesNotContain("first page");
  }

  @Test
  void boundedLook_saysHowFarItCame() {
    try (TestDatabase deep = TestDatabase.create();
        TestConsole over = TestConsole.local(deep, Role.VIEWER);
        Client browser = new Client(over.url())) {
      Scene.on(deep)
          .waiting(10, "deep", "k", 3, "3 hours")
          .waiting(1, "deep", "early", 3, "3 hours")
          .waiting(20_100, "deep", "k", 3, "2 hours")
          .waiting(1, "deep", "late", 3, "1 hour");
      String list = "/tasks?status=PENDING&queue=deep&kind=";
      String early = browser.get(list + "early").body();
      assertThat(early).contains("Looked at 20,000 in this order: 1 task on this page");
      String behind = browser.get(link(NEXT, early)).body();
      assertThat(behind).contains("No more: this is the end of the list.");
      assertThat(rows(browser.get(link(PREVIOUS, behind)).body()))
          .as("back, by as bounded a look")
          .isEmpty();
      String late = browser.get(list + "late").body();
      assertThat(late)
          .contains("None among the first 20,000 that were looked at. The list goes on.")
          .contains("Look further")
          .doesNotContain("matches these filters");
      String found = browser.get(link(NEXT, late)).body();
      assertThat(found).contains("1 task, the last that match");
      String back = browser.get(link(PREVIOUS, found)).body();
      assertThat(back)
          .contains("None among the 20,000 that were looked at here. The list goes on.");
      assertThat(browser.get(link(NEXT, back)).body())
          .as("and forth again")
          .contains("1 task on this page");
      assertThat(browser.get(list + "none").body()).contains("None among the first 20,000");
      assertThat(browser.get(link(NEXT, browser.get(list + "none").body())).body())
          .contains("No more: this is the end of the list.");
    }
  }

  @Test
  void bulks_arePagedEachOnce() {
    database.execute(
        """
        insert into dibs.bulk (id, action, filter, frozen, queues, per_second, actor, source, why, started_at, status)
        select gen_random_uuid(), 'cancel', '{"status": "PENDING", "queue": "old"}', '{}', '{old}', 2000, 'ana', 'cli', 'of one moment',
          '2026-01-02T03:04:05Z', 'DONE'
        from generate_series(1, 60)
        """);
    Set<String> seen = new HashSet<>();
    int rows = 0;
    String path = "/bulk";
    while (!path.isEmpty()) {
      String body = client.get(path).body();
      Matcher bulk = Pattern.compile("href=\"/bulk/([0-9a-f-]{36})\"").matcher(body);
      while (bulk.find()) {
        seen.add(bulk.group(1));
        rows++;
      }
      Matcher next = NEXT.matcher(body);
      path = next.find() ? next.group(1) : "";
    }
    assertThat(List.of(rows, seen.size())).containsExactly(66, 66);
    assertThat(client.get("/bulk?after=" + Scene.worker(1)).body())
        .contains("is not known here", "first page");
  }

  @Test
  void bulk_saysHowFastItIsAndHowLongItTakes() {
    assertThat(client.get("/bulk/" + Scene.bulk(3)).body())
        .as("of one that nobody watched, since it began")
        .containsPattern("· 1,4\\d\\d/s\\s+· about 13 s left")
        .contains("41,500 of 61,200", "max=\"61200\" value=\"41500\"");
    database.execute(
        "update dibs.bulk set seen = seen + 5000, done = done + 5000, stepped_at = stepped_at + interval '10 s' where id = ?",
        Scene.bulk(3));
    assertThat(client.get("/bulk/" + Scene.bulk(3)).body())
        .as("lately")
        .containsPattern("· 500/s\\s+· about 29 s left");
    assertThat(client.get("/bulk/" + Scene.bulk(5)).body())
        .contains("✕ failed", "permission denied: INC-204", "it is PROCESSING already", "Resume…");
  }

  @Test
  void failures_leadToABulkOfTheirLikes() {
    Matcher retry =
        Pattern.compile("href=\"(/bulk/new[^\"]*)\"[^>]*>Retry 37…")
            .matcher(client.get("/failures?queue=mail").body());
    assertThat(retry.find()).isTrue();
    assertThat(client.get(retry.group(1).replace("&amp;", "&")).body())
        .contains(
            "Run again 37 tasks?",
            "DEAD tasks, in queue mail, of kind send-receipt, whose last error has “shop.SmtpException: connection to host”, that ended since",
            "37 tasks more will wait in mail, beside 120 that are ready there now");
  }

  @Test
  void cursor_thatIsNotOursGivesTheFirstPage() {
    String body = client.get("/tasks?status=DEAD&size=25").body();
    Matcher next = NEXT.matcher(body);
    assertThat(next.find()).isTrue();
    String path = next.group(1).replace("&amp;", "&");
    assertThat(client.get(path).body()).doesNotContain("is not known here");
    assertThat(client.get(path + "x").body()).contains("is not known here", "first page");
    assertThat(client.get(path.replace("after=", "before=")).body())
        .as("of the other direction")
        .contains("is not known here");
    assertThat(client.get(path + "&before=end").status()).isEqualTo(400);
    assertThat(client.get(path.replace("status=DEAD", "status=SUCCEEDED")).body())
        .as("of another list")
        .contains("is not known here");
  }

  @Test
  void filters_areInTheAddressAndOnThePage() {
    String body = client.get("/tasks?status=DEAD&queue=mail&kind=send-receipt&since=-24h").body();
    assertThat(body)
        .contains("queue: mail", "kind: send-receipt", "since: -24h", "37 tasks, all that match");
    assertThat(client.get("/tasks?status=DEAD&error=HOST%2013").body())
        .contains("1 task, all that match");
    assertThat(client.get("/tasks?status=DEAD&queue=none").body())
        .contains("No DEAD task matches these filters");
  }

  @Test
  void overview_saysWhatNeedsAPerson() {
    assertThat(client.get("/").body())
        .contains(
            "mail: the first task has waited", "reports: 4 ready, and no worker serves it",
            "DEAD in the last 24 h", "paused by ana");
  }

  @Test
  void emptyDatabase_saysWhy() {
    try (TestDatabase empty = TestDatabase.create();
        TestConsole fresh = TestConsole.local(empty, Role.VIEWER);
        Client browser = new Client(fresh.url()).looked()) {
      assertThat(browser.get("/").body()).contains("No queue yet", "dibs enqueue");
      assertThat(browser.get("/tasks").body()).contains("No task is PROCESSING.");
      assertThat(browser.get("/queues").body()).contains("No queue has been used yet");
      assertThat(browser.get("/kinds").body()).contains("No live worker knows any kind");
      assertThat(browser.get("/workers").body()).contains("No worker has a row");
      assertThat(browser.get("/failures").body()).contains("No task died in this time");
      assertThat(browser.get("/schedules").body()).contains("No schedule.");
      assertThat(browser.get("/bulk").body())
          .contains("Nothing was done to many tasks at once yet");
      assertThat(browser.get("/audit").body()).contains("Nothing was done by hand yet");
    }
  }

  @Test
  void lockedTable_failsAloneAndInTime() throws Exception {
    try (TestDatabase locked = TestDatabase.create();
        TestConsole stuck = TestConsole.local(locked, Role.VIEWER);
        Client browser = new Client(stuck.url()).looked();
        var connection = locked.connect();
        var statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("lock table dibs.task in access exclusive mode");
      Client.Page page = browser.get("/tasks?status=SCHEDULED");
      assertThat(page.status()).isEqualTo(503);
      assertThat(page.body()).contains("Not answered in time", "Try again", "request <code>");
      assertThat(page.header("Retry-After")).contains("5");
      connection.rollback();
      assertThat(browser.get("/tasks?status=SCHEDULED").status()).isEqualTo(200);
    }
  }

  @Test
  void lockedHistory_costsAQueuesPageItsDeadAlone() throws Exception {
    TestDatabase locked = TestDatabase.create();
    Scene.on(locked).waiting(3, "mail", "k", 3, "1 minute");
    try (locked;
        TestConsole stuck = TestConsole.local(locked, Role.VIEWER);
        Client browser = new Client(stuck.url()).looked();
        var connection = locked.connect();
        var statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("lock table dibs.task_history in access exclusive mode");
      Client.Page page = browser.get("/queues/mail");
      assertThat(page.status()).isEqualTo(200);
      assertThat(page.body()).contains("Not answered in time.", "Try again", "Waiting by priority");
      connection.rollback();
      assertThat(browser.get("/queues/mail").body()).contains("None in the history.");
    }
  }

  @Test
  void clocksThatDiffer_makeNothingNegative() {
    database.execute(
        """
        insert into dibs.task (id, run_at, claimed_at, queue, kind, status, attempt, lease, worker_id)
        values (gen_random_uuid(), now(), clock_timestamp() + interval '5 minutes', 'skewed', 'k', 'PROCESSING', 1,
          gen_random_uuid(), ?)
        """,
        Scene.worker(1));
    database.execute(
        """
        insert into dibs.task_history (id, created_at, run_at, claimed_at, finished_at, status, priority, attempt,
          failures, losses, max_attempts, queue, kind, payload)
        values (gen_random_uuid(), now(), now(), now() + interval '5 minutes', now() + interval '3 minutes', 'DEAD', 3,
          1, 1, 0, 1, 'skewed', 'k', '{}')
        """);
    for (String status : List.of("PROCESSING", "DEAD")) {
      String body = client.get("/tasks?queue=skewed&status=" + status).body();
      assertThat(body).contains("now (clock skew)").doesNotContainPattern(">in \\d|>-\\d");
      String task = client.get("/tasks/" + rows(body).getFirst()).body();
      assertThat(task).contains("now (clock skew)").doesNotContainPattern("took -|>-\\d");
    }
    assertThat(client.get("/tasks?queue=skewed&status=DEAD").body()).contains(">0 ms<");
  }

  @Test
  void preferences_areKept() {
    try (Client browser = new Client(console.url())) {
      String token = browser.get("/").token();
      browser.post("/preferences", token, "theme", "dark", "zone", "Europe/Berlin", "to", "/tasks");
      browser.post("/preferences", token, "times", "absolute");
      String body = browser.get("/tasks?status=DEAD").body();
      assertThat(body).contains("data-theme=\"dark\"", "Europe/Berlin", "data-zone=\"known\"");
      assertThat(body).containsPattern(">\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d</time>");
      assertThat(browser.post("/preferences", token, "theme", "pink").status()).isEqualTo(400);
      assertThat(browser.post("/preferences", token, "zone", "Mars/Base").status()).isEqualTo(400);
    }
  }

  @Test
  void assets_areCachedAndSmall() {
    String body = client.get("/").body();
    Matcher asset = Pattern.compile("(?:src|href)=\"(/assets/[^\"#]*)").matcher(body);
    int count = 0;
    while (asset.find()) {
      Client.Page page = client.get(asset.group(1), "Accept-Encoding", "gzip");
      assertThat(page.status()).isEqualTo(200);
      assertThat(page.header("Content-Encoding")).contains("gzip");
      assertThat(page.header("Cache-Control").orElse("")).contains("immutable");
      String tag = page.header("ETag").orElse("");
      assertThat(client.get(asset.group(1), "If-None-Match", tag).status()).isEqualTo(304);
      count++;
    }
    assertThat(count).isGreaterThanOrEqualTo(4);
  }
}
