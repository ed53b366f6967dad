package dev.dibs.console;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.console.testing.Scene;
import dev.dibs.console.testing.TestConsole;
import dev.dibs.testing.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What people do to many tasks at once: shown, begun, watched, interrupted and resumed. */
@Timeout(120)
class ConsoleBulkTest {
  private static final Pattern HIDDEN =
      Pattern.compile("<input type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)\"");
  private static final String WHY = "INC-204 is mended";

  private TestDatabase database;
  private TestConsole console;
  private Client client;

  @BeforeEach
  void start() {
    database = TestDatabase.create();
    console = TestConsole.local(database, Role.ADMIN);
    client = new Client(console.url());
  }

  @AfterEach
  void stop() {
    client.close();
    console.close();
    database.close();
  }

  private void bury(int tasks, String queue) {
    Scene.on(database).finished(tasks, "DEAD", queue, "k", "1 minute");
  }

  /** What a form of a bulk would send, and more. */
  private static String[] form(Client.Page page, String... more) {
    List<String> fields = new ArrayList<>();
    String form =
        page.body().substring(page.body().indexOf("<form method=\"post\" action=\"/bulk"));
    Matcher hidden = HIDDEN.matcher(form);
    while (hidden.find()) {
      if (hidden.group(1).equals("csrf")) continue;
      fields.add(hidden.group(1));
      fields.add(plain(hidden.group(2)));
    }
    fields.addAll(List.of(more));
    return fields.toArray(String[]::new);
  }

  private static String plain(String html) {
    return html.replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
  }

  static Client.Page begin(Client client, Client.Page preview, String... more) {
    String[] fields = form(preview, more);
    return client.post("/bulk/new", preview.token(), fields);
  }

  /** Begins one and answers its id. */
  private String begun(String query, String... more) {
    Client.Page preview = client.get("/bulk/new?" + query);
    Client.Page page = begin(client, preview, more);
    assertThat(page.status()).as(page.body()).isEqualTo(303);
    assertThat(page.location()).isEqualTo("/bulk/" + preview.request());
    return preview.request();
  }

  private String status(String bulk) {
    return String.valueOf(database.value("select status from dibs.bulk where id = ?::uuid", bulk));
  }

  private long seen(String bulk) {
    return database.number("select seen from dibs.bulk where id = ?::uuid", bulk);
  }

  private void awaitStatus(String bulk, String status) {
    await().atMost(ofSeconds(20)).until(() -> status(bulk).equals(status));
  }

  private long bulks() {
    return database.number("select count(*) from dibs.bulk");
  }

  /** Each task in one batch, and alive. */
  private void assertEachOnce(long tasks) {
    assertThat(
            database.number(
                "select count(*) from (select unnest(changed) as id from dibs.bulk_batch) b join dibs.task using (id)"))
        .isEqualTo(tasks);
    assertThat(
            database.number(
                "select count(distinct id) from (select unnest(changed) as id from dibs.bulk_batch) b"))
        .isEqualTo(tasks);
  }

  @Test
  void aBulk_isShownThenDone() {
    bury(300, "mail");
    Client.Page preview = client.get("/bulk/new?do=retry&status=DEAD&queue=mail&since=-24h");
    assertThat(preview.body())
        .contains(
            "Run again 300 tasks?",
            "DEAD tasks, in queue mail, that ended since",
            "Each becomes ready and runs again",
            "You are changing orders@pg-1",
            "shop.SmtpException: connection to host")
        .doesNotContain("4111 1111", "name=\"word\"");
    assertThat(preview.body().split("class=\"mono\" data-id", -1)).as("a sample").hasSize(21);
    assertThat(database.finished("DEAD")).as("a page that asks changes nothing").isEqualTo(300);
    Client.Page page = begin(client, preview, "why", WHY, "spread", "PT1H");
    awaitStatus(preview.request(), "DONE");
    assertThat(database.tasks("SCHEDULED")).isEqualTo(300);
    String body = client.get(page.location()).body();
    assertThat(body)
        .contains(
            "Run again within 1 h: DEAD tasks, in queue mail, that ended since",
            "✓ done",
            "300 of 300",
            WHY,
            "local, console 127.0.0.1",
            "Cancel what it changed and is still SCHEDULED")
        .doesNotContain("Interrupt…", "Resume…");
    assertThat(client.get("/bulk").body()).contains("✓ done", "300 of 300", WHY);
    assertThat(client.get("/audit?target=" + preview.request()).body())
        .contains("bulk.start", WHY, "console 127.0.0.1");
  }

  @Test
  void whatABulkChanged_canBeUndone() {
    bury(40, "mail");
    String bulk = begun("do=retry&status=DEAD&queue=mail", "why", WHY);
    awaitStatus(bulk, "DONE");
    Scene.on(database).waiting(5, "mail", "k", 3, "1 minute");
    Client.Page undo = client.get("/bulk/new?do=cancel&status=PENDING&changed=" + bulk);
    assertThat(undo.body())
        .contains("Cancel 40 tasks?", "PENDING tasks that bulk " + bulk + " changed");
    begin(client, undo, "why", "that was a mistake");
    awaitStatus(undo.request(), "DONE");
    assertThat(List.of(database.finished("CANCELLED"), database.tasks("PENDING")))
        .containsExactly(40L, 5L);
  }

  @Test
  void anEmptyFilter_isRefused() {
    bury(2, "mail");
    for (String query :
        List.of("", "?do=delete", "?do=delete&status=DEAD", "?do=delete&status=DEAD&error=host")) {
      Client.Page page = client.get("/bulk/new" + query);
      assertThat(page.status()).as(query).isEqualTo(400);
      assertThat(page.body()).contains("A bulk needs a status, and a queue or a kind beside it");
    }
    Client.Page preview = client.get("/bulk/new?do=delete&status=DEAD&queue=mail");
    String token = preview.token();
    assertThat(client.post("/bulk/new", token, "do", "delete", "status", "DEAD").status())
        .isEqualTo(400);
    String[] fields = form(preview, "why", WHY);
    for (String name : List.of("queue", "count", "frozen", "request", "seal", "status")) {
      String[] other = fields.clone();
      for (int i = 0; i < other.length; i += 2)
        if (other[i].equals(name)) other[i + 1] = otherThan(name);
      Client.Page page = client.post("/bulk/new", token, other);
      assertThat(page.status()).as(name).isEqualTo(400);
      assertThat(page.body()).as(name).contains("look again");
    }
    assertThat(bulks()).isZero();
    assertThat(client.post("/bulk/new", token, fields).status()).isEqualTo(303);
  }

  private static String otherThan(String name) {
    return switch (name) {
      case "request" -> UUID.randomUUID().toString();
      case "status" -> "CANCELLED";
      case "count" -> "EXACT:3";
      default -> "other";
    };
  }

  @Test
  void tasksThatCameAfterThePreview_areLeftAlone() {
    bury(3, "mail");
    Scene.on(database).waiting(3, "shop", "k", 3, "1 minute");
    Client.Page dead = client.get("/bulk/new?do=retry&status=DEAD&queue=mail");
    Client.Page waiting = client.get("/bulk/new?do=cancel&status=PENDING&queue=shop");
    Scene.on(database).finished(2, "DEAD", "mail", "late", "-1 minute");
    Scene.on(database).waiting(2, "shop", "late", 3, "1 hour");
    database.execute(
        "update dibs.task set priority = 1 where id = (select id from dibs.task where kind = 'k' limit 1)");
    for (Client.Page preview : List.of(dead, waiting)) {
      assertThat(begin(client, preview, "why", WHY).status()).isEqualTo(303);
      awaitStatus(preview.request(), "DONE");
    }
    assertThat(
            database.value(
                "select string_agg(distinct kind, ' ') from dibs.task_history where status = 'DEAD'"))
        .isEqualTo("late");
    assertThat(
            database.value(
                "select string_agg(kind || priority, ' ' order by kind, priority) from dibs.task where queue = 'shop'"))
        .as("what came later, and what somebody else has changed")
        .isEqualTo("k1 late3 late3");
  }

  @Test
  void whatABulkDid_addsUp() {
    bury(30, "mail");
    database.execute(
        "update dibs.task_history set unique_key = 'order-7', unique_hold = true where id in (select id from dibs.task_history limit 4)");
    String bulk = begun("do=retry&status=DEAD&queue=mail", "why", WHY);
    awaitStatus(bulk, "DONE");
    assertThat(
            database.value(
                "select concat_ws(' ', seen, done, skipped, failed) from dibs.bulk where id = ?::uuid",
                bulk))
        .isEqualTo("30 27 3 0");
    assertEachOnce(27);
    assertThat(client.get("/bulk/" + bulk).body())
        .contains("30 of 30", "<dd>27</dd>", "<dd>3 <", "has its unique key");
  }

  @Test
  void aBulk_goesOnInAnotherConsoleWhenThisOneIsClosed() {
    bury(1_000, "mail");
    String bulk = begun("do=retry&status=DEAD&queue=mail", "why", WHY, "rate", "100");
    await().atMost(ofSeconds(20)).until(() -> seen(bulk) > 0);
    Client.Page running = client.get("/bulk/" + bulk);
    assertThat(running.body()).contains("▶ running", "of 1,000", "Interrupt…");
    console.close();
    assertThat(status(bulk)).as("at once").isEqualTo("STOPPED");
    assertThat(seen(bulk)).isBetween(1L, 999L);
    database.execute("update dibs.bulk set per_second = 100000 where id = ?::uuid", bulk);
    try (TestConsole second = TestConsole.local(database, Role.OPERATOR);
        Client other = new Client(second.url())) {
      assertThat(other.get("/bulk/" + bulk).body()).contains("■ interrupted", "Resume…");
      Client.Page confirm = other.get("/bulk/" + bulk + "/confirm?do=resume");
      assertThat(confirm.body()).contains("Resume bulk ", "It goes on where it stopped");
      assertThat(status(bulk)).isEqualTo("STOPPED");
      String[] fields = {"do", "resume", "request", confirm.request()};
      for (int i = 0; i < 2; i++)
        assertThat(other.post("/bulk/" + bulk + "/act", confirm.token(), fields).status())
            .as("also sent twice")
            .isEqualTo(303);
      awaitStatus(bulk, "DONE");
      assertThat(other.get("/audit?target=" + bulk).body())
          .contains("bulk.start", "the console that drove it was told to end", "bulk.resume");
    }
    assertThat(seen(bulk)).isEqualTo(1_000);
    assertEachOnce(1_000);
  }

  @Test
  void aBulk_isInterruptedOnceAndStaleAnswersSaySo() {
    bury(1_000, "mail");
    String bulk = begun("do=retry&status=DEAD&queue=mail", "why", WHY, "rate", "100");
    Client.Page confirm = client.get("/bulk/" + bulk + "/confirm?do=interrupt");
    assertThat(confirm.body())
        .contains("Interrupt bulk " + bulk.substring(28) + "?", "It stops after the batch");
    String act = "/bulk/" + bulk + "/act";
    Client.Page early = client.post(act, confirm.token(), "do", "resume", "request", request());
    assertThat(early.status()).isEqualTo(409);
    assertThat(early.body()).contains("Nothing was changed", "is being driven");
    assertThat(
            client
                .post(act, confirm.token(), "do", "interrupt", "request", confirm.request())
                .status())
        .isEqualTo(303);
    assertThat(status(bulk)).isEqualTo("STOPPED");
    Client.Page late = client.post(act, confirm.token(), "do", "interrupt", "request", request());
    assertThat(late.status()).isEqualTo(409);
    assertThat(late.body()).contains("is STOPPED");
  }

  private static String request() {
    return UUID.randomUUID().toString();
  }

  @Test
  void aBulkWhoseProcessIsGone_isOfferedAndNeverResumedByItself() {
    bury(50, "mail");
    String id = request();
    database.value(
        "select result from dibs.start_bulk('retry', '{\"status\": \"DEAD\", \"queue\": \"mail\"}', '{}',"
            + " dibs.freeze_bulk('retry', '{\"status\": \"DEAD\", \"queue\": \"mail\"}'), 50, 2000, ?::uuid, 'ana', 'sql', 'INC-204 is mended')",
        id);
    assertThat(client.get("/bulk/" + id).body()).contains("▶ running");
    database.execute(
        "update dibs.bulk set lease_until = clock_timestamp() - interval '1 s' where id = ?::uuid",
        id);
    try (TestConsole fresh = TestConsole.local(database, Role.ADMIN);
        Client other = new Client(fresh.url())) {
      assertThat(other.get("/bulk").body()).contains("▲ its process is gone");
      Client.Page page = other.get("/bulk/" + id);
      assertThat(page.body())
          .contains("▲ its process is gone", "Resume…")
          .doesNotContain("Interrupt…");
      assertThat(seen(id)).isZero();
      Client.Page confirm = other.get("/bulk/" + id + "/confirm?do=resume");
      other.post(
          "/bulk/" + id + "/act", confirm.token(), "do", "resume", "request", confirm.request());
      awaitStatus(id, "DONE");
    }
    assertEachOnce(50);
  }

  @Test
  void aForm_sentTwiceBeginsOneBulk() {
    bury(20, "mail");
    Client.Page preview = client.get("/bulk/new?do=retry&status=DEAD&queue=mail");
    String[] fields = form(preview, "why", WHY);
    List<CompletableFuture<Client.Page>> both = new ArrayList<>();
    for (int i = 0; i < 2; i++)
      both.add(
          CompletableFuture.supplyAsync(() -> client.post("/bulk/new", preview.token(), fields)));
    for (CompletableFuture<Client.Page> each : both)
      assertThat(each.join().location()).isEqualTo("/bulk/" + preview.request());
    awaitStatus(preview.request(), "DONE");
    assertThat(client.post("/bulk/new", preview.token(), fields).location())
        .isEqualTo("/bulk/" + preview.request());
    assertThat(List.of(bulks(), database.number("select count(*) from dibs.audit")))
        .containsExactly(1L, 1L);
    assertEachOnce(20);
  }

  @Test
  void aBulk_wantsAReasonAndOfManyTheNameOfTheirQueue() {
    bury(1_001, "mail");
    Client.Page preview = client.get("/bulk/new?do=retry&status=DEAD&queue=mail");
    assertThat(preview.body()).contains("1,001", "Type the queue's name");
    assertThat(begin(client, preview, "why", "short", "word", "mail").body())
        .contains("at least 10 characters");
    for (String word : List.of("", "Mail", "mail2")) {
      Client.Page page = begin(client, preview, "why", WHY, "word", word);
      assertThat(page.status()).as(word).isEqualTo(400);
      assertThat(page.body()).contains("Type the queue's name");
    }
    assertThat(begin(client, preview, "why", WHY, "word", "mail", "rate", "3").status())
        .isEqualTo(400);
    assertThat(bulks()).isZero();
    assertThat(begin(client, preview, "why", WHY, "word", "mail").status()).isEqualTo(303);
    awaitStatus(preview.request(), "DONE");
  }

  @Test
  void roles_areThoseOfSingleActions() {
    bury(2, "mail");
    Scene.on(database).waiting(2, "mail", "k", 3, "1 minute");
    try (TestConsole guarded = TestConsole.withUsers(database);
        Client otto = new Client(guarded.url()).as("otto", TestConsole.PASSWORD);
        Client vera = new Client(guarded.url()).as("vera", TestConsole.PASSWORD);
        Client ada = new Client(guarded.url()).as("ada", TestConsole.PASSWORD)) {
      String delete = "/bulk/new?do=delete&status=DEAD&queue=mail";
      assertThat(otto.get(delete).body()).contains("needs the role admin");
      assertThat(otto.get("/bulk/new?status=DEAD&queue=mail").body())
          .contains("Run again…")
          .doesNotContain("Delete…");
      Client.Page preview = ada.get(delete);
      assertThat(preview.body()).contains("Delete 2 tasks?", "Type the queue's name");
      assertThat(otto.post("/bulk/new", otto.get("/").token(), form(preview, "why", WHY)).status())
          .isEqualTo(403);
      assertThat(begin(ada, preview, "why", WHY).body()).contains("to say that you mean it");
      assertThat(begin(ada, preview, "why", WHY, "word", "mail").status()).isEqualTo(303);
      awaitStatus(preview.request(), "DONE");
      database.execute("update dibs.bulk set status = 'STOPPED'");
      String page = "/bulk/" + preview.request();
      assertThat(otto.get(page + "/confirm?do=resume").status()).isEqualTo(403);
      assertThat(ada.get(page).body()).contains("Resume…");
      assertThat(vera.get(page).body()).contains("■ interrupted").doesNotContain("Resume…");
      assertThat(vera.get("/tasks?status=DEAD&queue=mail").body()).doesNotContain("/bulk/new");
      assertThat(vera.get("/bulk/new?do=cancel&status=PENDING&queue=mail").status()).isEqualTo(403);
    }
  }

  @Test
  void twoBulks_doNotWorkInOneQueue() {
    bury(1_000, "mail");
    String bulk = begun("do=retry&status=DEAD&queue=mail", "why", WHY, "rate", "100");
    Client.Page preview = client.get("/bulk/new?do=retry&status=DEAD&kind=k");
    for (int i = 0; i < 2; i++) {
      Client.Page page = begin(client, preview, "why", WHY);
      assertThat(page.status()).isEqualTo(409);
      assertThat(page.body())
          .contains("Nothing was changed")
          .containsPattern("href=\"/bulk\">Bulk\\s+as it is now");
    }
    assertThat(
            begin(client, client.get("/bulk/new?do=retry&status=DEAD&kind=k"), "why", WHY).body())
        .contains("bulk " + bulk + " of local works there");
    assertThat(bulks()).isEqualTo(1);
  }

  @Test
  void aConsole_drivesThreeAtATime() {
    for (int i = 1; i <= 4; i++) bury(1_000, "q" + i);
    List<String> three = new ArrayList<>();
    for (int i = 1; i <= 3; i++)
      three.add(begun("do=retry&status=DEAD&queue=q" + i, "why", WHY, "rate", "100"));
    Client.Page preview = client.get("/bulk/new?do=retry&status=DEAD&queue=q4");
    Client.Page fourth = begin(client, preview, "why", WHY);
    assertThat(fourth.status()).isEqualTo(503);
    assertThat(fourth.body()).contains("This console drives 3 bulks already");
    assertThat(bulks()).isEqualTo(3);
    console.close();
    assertThat(three).allMatch(bulk -> status(bulk).equals("STOPPED"));
  }

  @Test
  void aBulkThatIsNotCountedInTime_isAllowed() throws Exception {
    Scene.on(database).waiting(5, "mail", "k", 3, "1 minute");
    client.looked();
    Client.Page preview;
    try (var connection = database.connect();
        var statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("lock table dibs.task in access exclusive mode");
      preview = client.get("/bulk/new?do=cancel&status=PENDING&queue=mail");
      connection.rollback();
    }
    assertThat(preview.status()).isEqualTo(200);
    assertThat(preview.body())
        .contains(
            "Cancel the tasks that match?", "not counted within 2 s", "no reason not to begin");
    assertThat(begin(client, preview, "why", WHY).status()).as("not in passing").isEqualTo(400);
    assertThat(begin(client, preview, "why", WHY, "word", "mail").status()).isEqualTo(303);
    awaitStatus(preview.request(), "DONE");
    assertThat(database.finished("CANCELLED")).isEqualTo(5);
    assertThat(client.get("/bulk/" + preview.request()).body())
        .contains("nobody counted how many there are");
  }

  @Test
  void actionsThatNeedMore_askForIt() {
    Scene.on(database).waiting(3, "mail", "k", 3, "1 minute");
    String of = "&status=PENDING&queue=mail";
    assertThat(client.get("/tasks?status=PENDING&queue=mail").body())
        .contains("/bulk/new?status=PENDING&amp;queue=mail\">Act on all matching…");
    assertThat(client.get("/tasks?status=PENDING").body()).contains("filter by a queue or a kind");
    assertThat(client.get("/bulk/new?status=PENDING&queue=mail").body())
        .contains("Cancel…", "Move…", "Change priority…", "Reschedule…", "Delete…")
        .doesNotContain("Run again…");
    for (String action : List.of("move", "prioritise", "reschedule"))
      assertThat(client.get("/bulk/new?do=" + action + of).body()).contains("name=\"to\"");
    String moved = begun("do=move&to=shop" + of, "why", WHY);
    awaitStatus(moved, "DONE");
    String urgent = begun("do=prioritise&to=1&status=PENDING&queue=shop", "why", WHY);
    awaitStatus(urgent, "DONE");
    String later = begun("do=reschedule&to=2031-01-02T03:04&status=PENDING&queue=shop", "why", WHY);
    awaitStatus(later, "DONE");
    assertThat(
            database.value(
                "select string_agg(distinct concat_ws(' ', queue, priority, status, run_at at time zone 'UTC'), '|') from dibs.task"))
        .isEqualTo("shop 1 SCHEDULED 2031-01-02 03:04:00");
    assertThat(client.get("/bulk/" + later).body()).contains("Reschedule to 01-02 03:04:00");
    Client.Page none = client.get("/bulk/new?do=cancel" + of);
    assertThat(none.body()).contains("No task matches just now").doesNotContain("name=\"seal\"");
  }
}
