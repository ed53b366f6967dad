package dev.dibs.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.console.testing.Scene;
import dev.dibs.console.testing.TestConsole;
import dev.dibs.testing.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What people do on pages, alone, twice, and at the same time as others. */
@Timeout(120)
class ConsoleActionsTest {
  private static TestDatabase database;
  private static TestConsole console;
  private static Client client;
  private static String token;

  @BeforeAll
  static void start() {
    database = TestDatabase.create();
    Scene.on(database).workers();
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

  /** A new ready task of a queue of its own. */
  private static String task(String queue) {
    Scene.on(database).waiting(1, queue, "k", 3, "1 minute");
    return Objects.requireNonNull(
        database.value("select id::text from dibs.task where queue = ?", queue));
  }

  private static String status(String id) {
    return String.valueOf(
        database.value(
            "select coalesce((select status::text from dibs.task where id = ?::uuid), (select status::text from dibs.task_history where id = ?::uuid))",
            id,
            id));
  }

  private static long audited(String target, String result) {
    return database.number(
        "select count(*) from dibs.audit where target = ? and result = ?", target, result);
  }

  private static Client.Page act(String action, String seen, String request, String... more) {
    List<String> fields =
        new ArrayList<>(List.of("do", action, "task", seen, "request", request, "why", "INC-204"));
    fields.addAll(List.of(more));
    return client.post("/tasks/act", token, fields.toArray(String[]::new));
  }

  private static String request() {
    return UUID.randomUUID().toString();
  }

  @Test
  void cancel_isAskedForThenDoneAndAudited() {
    String id = task("cancelled");
    Client.Page confirm = client.get("/tasks/confirm?do=cancel&task=" + id + ":PENDING:0");
    assertThat(confirm.body())
        .contains(
            "Cancel 1 task?",
            "You are changing orders@pg-1",
            "the same",
            "TEST".toLowerCase(java.util.Locale.ROOT));
    assertThat(status(id)).as("a page that asks changes nothing").isEqualTo("PENDING");
    Client.Page done = act("cancel", id + ":PENDING:0", confirm.request());
    assertThat(done.status()).isEqualTo(200);
    assertThat(done.body()).contains("1 done");
    assertThat(status(id)).isEqualTo("CANCELLED");
    assertThat(client.get("/audit?target=" + id).body())
        .contains("task.cancel", "INC-204", "console 127.0.0.1", "local");
  }

  @Test
  void cancel_ofATaskThatStartedMeanwhileChangesNothing() {
    String id = task("started");
    database.execute(
        "update dibs.task set status = 'PROCESSING', attempt = 1, lease = gen_random_uuid(), worker_id = ?, claimed_at = now() where id = ?::uuid",
        Scene.worker(1),
        id);
    Client.Page page = act("cancel", id + ":PENDING:0", request());
    assertThat(page.status()).isEqualTo(409);
    assertThat(page.body())
        .contains("Nothing was changed", "You saw", "It is now", "mail-7f9c-2:4121", "Cancel…");
    assertThat(status(id)).isEqualTo("PROCESSING");
    assertThat(audited(id, "stale")).isEqualTo(1);
  }

  @Test
  void cancel_ofAnotherAttemptIsRefusedToo() {
    String id = task("again");
    database.execute("update dibs.task set attempt = 3 where id = ?::uuid", id);
    assertThat(act("cancel", id + ":PENDING:2", request()).status()).isEqualTo(409);
    assertThat(status(id)).isEqualTo("PENDING");
  }

  @Test
  void form_sentTwiceIsDoneOnce() {
    String id = task("twice");
    String request = request();
    Client.Page first = act("cancel", id + ":PENDING:0", request);
    Client.Page second = act("cancel", id + ":PENDING:0", request);
    assertThat(List.of(first.status(), second.status())).containsExactly(200, 200);
    assertThat(second.body()).contains("1 done");
    assertThat(database.number("select count(*) from dibs.audit where target = ?", id))
        .isEqualTo(1);
  }

  @Test
  void chosenTasks_areDoneEachByItself() {
    Scene.on(database).waiting(3, "chosen", "k", 3, "1 minute");
    List<String> fields = new ArrayList<>(List.of("do", "cancel"));
    for (int i = 1; i <= 3; i++) {
      fields.add("task");
      fields.add(
          database.value(
                  "select id::text from dibs.task where queue = 'chosen' order by id offset ? limit 1",
                  i - 1)
              + ":PENDING:0");
    }
    database.execute(
        "update dibs.task set attempt = 1 where id = ?::uuid", fields.get(3).split(":", 2)[0]);
    Client.Page confirm = client.post("/tasks/confirm", token, fields.toArray(String[]::new));
    assertThat(confirm.body()).contains("Cancel 3 tasks?", "Some had changed");
    fields.addAll(List.of("request", confirm.request()));
    Client.Page done = client.post("/tasks/act", token, fields.toArray(String[]::new));
    assertThat(done.status()).isEqualTo(200);
    assertThat(done.body()).contains("2 done, 1 had changed");
  }

  @Test
  void aWholePage_canBeChosen() {
    Scene.on(database).waiting(200, "many", "k", 3, "1 minute");
    String page = client.get("/tasks?status=PENDING&queue=many&size=200").body();
    List<String> fields = new ArrayList<>(List.of("do", "cancel"));
    var box = java.util.regex.Pattern.compile("name=\"task\" value=\"([^\"]*)\"").matcher(page);
    while (box.find()) fields.addAll(List.of("task", box.group(1)));
    Client.Page confirm = client.post("/tasks/confirm", token, fields.toArray(String[]::new));
    assertThat(confirm.body()).contains("Cancel 200 tasks?");
    fields.addAll(List.of("request", confirm.request(), "why", "INC-204"));
    Client.Page done = client.post("/tasks/act", token, fields.toArray(String[]::new));
    assertThat(done.body()).contains("200 done");
  }

  @Test
  void retry_ofADeadTaskKeepsItsId() {
    Scene.on(database).finished(1, "DEAD", "risen", "k", "1 minute");
    String id = database.value("select id::text from dibs.task_history where queue = 'risen'");
    assertThat(act("retry", id + ":DEAD:8", request()).body()).contains("1 done");
    assertThat(status(String.valueOf(id))).isEqualTo("PENDING");
  }

  @Test
  void waitingTasks_areMovedPrioritisedRescheduledAndDeleted() {
    String id = task("edited");
    assertThat(act("move", id + ":PENDING:0", request(), "queue", "elsewhere").status())
        .isEqualTo(200);
    assertThat(act("prioritise", id + ":PENDING:0", request(), "prio", "1").status())
        .isEqualTo(200);
    assertThat(act("reschedule", id + ":PENDING:0", request(), "at", "2031-01-02T03:04").status())
        .isEqualTo(200);
    assertThat(
            database.value(
                "select queue || ' ' || priority || ' ' || status || ' ' || (run_at at time zone 'UTC') from dibs.task where id = ?::uuid",
                id))
        .isEqualTo("elsewhere 1 SCHEDULED 2031-01-02 03:04:00");
    assertThat(act("delete", id + ":SCHEDULED:0", request()).status()).isEqualTo(200);
    assertThat(act("delete", id + ":SCHEDULED:0", request()).body()).contains("is gone");
  }

  @Test
  void actions_wantTheirFields() {
    String id = task("unsure");
    assertThat(act("move", id + ":PENDING:0", request()).status()).isEqualTo(400);
    assertThat(act("prioritise", id + ":PENDING:0", request(), "prio", "7").status())
        .isEqualTo(400);
    assertThat(act("reschedule", id + ":PENDING:0", request(), "at", "soon").status())
        .isEqualTo(400);
    try (Client berlin = new Client(console.url())) {
      berlin.post("/preferences", berlin.get("/").token(), "zone", "Europe/Berlin");
      String[] gap = {
        "do",
        "reschedule",
        "task",
        id + ":PENDING:0",
        "at",
        "2031-03-30T02:30",
        "request",
        request()
      };
      assertThat(berlin.post("/tasks/act", berlin.token(), gap).body())
          .contains("2031-03-30T02:30 does not exist in Europe/Berlin");
    }
    assertThat(act("cancel", id, request()).status()).isEqualTo(400);
    assertThat(act("cancel", id + ":PENDING:0", "1").status()).isEqualTo(400);
    assertThat(status(id)).isEqualTo("PENDING");
  }

  @Test
  void queue_pausedByTwoShowsTheSecondWhoWasFirst() {
    Scene.on(database).waiting(1, "shared", "k", 3, "1 minute");
    Client.Page asks = client.get("/queues/shared/confirm?do=pause");
    assertThat(asks.body()).contains("Pause queue shared?");
    Client.Page first =
        client.post(
            "/queues/shared/act", token, "do", "pause", "why", "deploy", "request", request());
    assertThat(first.status()).isEqualTo(303);
    Client.Page second =
        client.post(
            "/queues/shared/act", token, "do", "pause", "why", "other", "request", request());
    assertThat(second.status()).isEqualTo(409);
    assertThat(second.body()).contains("deploy", "Nothing was changed");
    assertThat(
            client.post("/queues/shared/act", token, "do", "resume", "request", request()).status())
        .isEqualTo(303);
  }

  /** The second waits for what the first is about to commit, and then sees it. */
  @Test
  void queue_pausedByTwoAtOnceIsPausedByTheFirst() throws Exception {
    Scene.on(database).waiting(1, "raced", "k", 3, "1 minute");
    try (var first = database.connect();
        var statement = first.createStatement();
        var executor = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
      first.setAutoCommit(false);
      statement.execute(
          "insert into dibs.queue (name, paused_at, paused_by, paused_why) values ('raced', now(), 'ana', 'INC-7')");
      var second =
          executor.submit(() ->
              client.post(
                  "/queues/raced/act", token, "do", "pause", "why", "mine", "request", request()));
      while (database.number(
              "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
          == 0) Thread.onSpinWait();
      first.commit();
      assertThat(second.get().status()).isEqualTo(409);
      assertThat(second.get().body()).contains("ana", "INC-7", "Nothing was changed");
    }
  }

  @Test
  void pause_wantsAReason() {
    assertThat(client.post("/kinds/k/act", token, "do", "pause", "request", request()).body())
        .contains("A pause needs a reason");
    assertThat(
            client
                .post("/kinds/k/act", token, "do", "pause", "why", "x", "request", request())
                .status())
        .isEqualTo(303);
    assertThat(client.get("/kinds/k").body()).contains("Paused by local");
    client.post("/kinds/k/act", token, "do", "resume", "request", request());
    assertThat(client.get("/kinds/k").body()).doesNotContain("Paused by");
  }

  @Test
  void worker_isAskedToDrain() {
    String path = "/workers/" + Scene.worker(2);
    assertThat(client.get(path + "/confirm?do=drain").body()).contains("It takes no more tasks");
    assertThat(client.post(path + "/act", token, "do", "drain", "request", request()).status())
        .isEqualTo(303);
    assertThat(client.get(path).body()).contains("Asked to drain by local", "Let work again");
    client.post(path + "/act", token, "do", "undrain", "request", request());
    assertThat(client.get(path).body()).doesNotContain("Asked to drain");
  }

  @Test
  void payload_isShownToWhoAsksAndThatIsAudited() {
    String id = task("secretive");
    assertThat(client.get("/tasks/" + id).body()).doesNotContain("4111 1111");
    assertThat(client.get("/tasks?status=PENDING&queue=secretive").body())
        .doesNotContain("4111 1111");
    Client.Page page =
        client.post("/tasks/" + id + "/reveal", token, "why", "INC-9", "request", request());
    assertThat(page.status()).isEqualTo(200);
    assertThat(page.body()).contains("4111 1111 1111 1111");
    assertThat(client.get("/audit?target=" + id).body()).contains("reveal", "INC-9");
  }

  @Test
  void people_actSixtyTimesAMinuteAtTheMost() {
    try (TestConsole own = TestConsole.local(database, Role.OPERATOR);
        Client hasty = new Client(own.url())) {
      String mine = hasty.get("/login").token();
      int refused = 0;
      for (int i = 0; i < 61; i++) {
        Client.Page page =
            hasty.post(
                "/tasks/act",
                mine,
                "do",
                "cancel",
                "task",
                UUID.randomUUID() + ":PENDING:0",
                "request",
                request());
        if (page.status() == 429) refused++;
      }
      assertThat(refused).isEqualTo(1);
    }
  }
}
