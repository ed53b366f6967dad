package dev.dibs.console;

import static java.time.Duration.ofHours;
import static java.time.Duration.ofMinutes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.console.testing.Scene;
import dev.dibs.console.testing.TestConsole;
import dev.dibs.testing.TestDatabase;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who gets in, who may do what, and what other sites can make a browser do: nothing. */
@Timeout(120)
class ConsoleSecurityTest {
  private static final String PASSWORD = TestConsole.PASSWORD;
  private static TestDatabase database;
  private static TestConsole console;

  @BeforeAll
  static void start() {
    database = TestDatabase.create();
    Scene.on(database).workers().tasks();
    console = TestConsole.withUsers(database);
  }

  @AfterAll
  static void stop() {
    console.close();
    database.close();
  }

  private static Client client() {
    return new Client(console.url());
  }

  private static List<Route> routes() {
    return console.console().router().routes();
  }

  /** The address of a route, with something in place of its braces. */
  private static String path(Route route) {
    return route.pattern().replace("{id}", Scene.worker(1).toString()).replace("{name}", "mail");
  }

  @Test
  void pages_wantALogin() {
    try (Client client = client()) {
      for (Route route : routes()) {
        if (route.role().isEmpty()) continue;
        Client.Page page =
            route.method().equals("GET")
                ? client.get(path(route))
                : client.post(path(route), client.token());
        if (route.method().equals("GET")) {
          assertThat(page.status()).as(route.pattern()).isEqualTo(303);
          assertThat(page.location()).startsWith("/login?to=");
        } else assertThat(page.status()).as(route.pattern()).isEqualTo(401);
      }
    }
  }

  @Test
  void viewer_mayChangeNothing() {
    try (Client vera = client().as("vera", PASSWORD)) {
      String token = vera.get("/").token();
      List<Route> actions = routes().stream().filter(Route::changes).toList();
      assertThat(actions).hasSizeGreaterThan(8);
      for (Route route : actions) {
        Client.Page page =
            route.method().equals("GET") ? vera.get(path(route)) : vera.post(path(route), token);
        assertThat(page.status()).as(route.toString()).isEqualTo(403);
        assertThat(page.body()).contains("needs the role " + route.role().orElseThrow().word());
      }
      assertThat(vera.get("/tasks?status=DEAD").body()).doesNotContain("name=\"task\"");
    }
  }

  @Test
  void operator_deletesNothing() {
    try (Client otto = client().as("otto", PASSWORD)) {
      String token = otto.get("/").token();
      String task = UUID.randomUUID() + ":DEAD:1";
      assertThat(otto.get("/tasks/confirm?do=delete&task=" + task).status()).isEqualTo(403);
      Client.Page page =
          otto.post(
              "/tasks/act",
              token,
              "do",
              "delete",
              "task",
              task,
              "request",
              UUID.randomUUID().toString());
      assertThat(page.status()).isEqualTo(403);
      assertThat(page.body()).contains("needs the role admin");
    }
  }

  @Test
  void admins_aloneChangeRetentionsAndTakeTheAuditAway() {
    database.execute("select dibs.pause_kind('audited', 'why')");
    try (Client otto = client().as("otto", PASSWORD);
        Client ada = client().as("ada", PASSWORD)) {
      String token = otto.get("/").token();
      for (String path : List.of("/queues/mail/retention", "/audit.csv")) {
        assertThat(otto.get(path).status()).as(path).isEqualTo(403);
        assertThat(ada.get(path).status()).as(path).isEqualTo(200);
      }
      assertThat(otto.post("/queues/mail/retain", token, "why", "x").body())
          .contains("needs the role admin");
      assertThat(otto.get("/queues/mail").body()).doesNotContain("Retention…");
      assertThat(otto.get("/audit").body()).doesNotContain("audit.csv");
      assertThat(ada.get("/audit").body()).contains("audit.csv");
    }
  }

  @Test
  void forms_areTakenFromOurPagesAlone() {
    try (Client ada = client().as("ada", PASSWORD)) {
      String token = ada.get("/").token();
      for (Route route : routes()) {
        if (!route.method().equals("POST")) continue;
        String path = path(route);
        assertThat(ada.post(path, "").status()).as("no token, %s", path).isEqualTo(403);
        assertThat(ada.post(path, token + "x").status()).as("another token").isEqualTo(403);
        for (String site : List.of("cross-site", "same-site", "none"))
          assertThat(ada.send(ada.form(path, token), "Sec-Fetch-Site", site).status())
              .as("%s %s", site, path)
              .isEqualTo(403);
        assertThat(ada.send(ada.form(path, token), "Origin", "https://evil.example").status())
            .as("another origin, %s", path)
            .isEqualTo(403);
        assertThat(ada.send(ada.form(path, token)).status()).as("no origin").isEqualTo(403);
        boolean hasPage =
            routes().stream()
                .anyMatch(r -> r.method().equals("GET") && r.pattern().equals(route.pattern()));
        if (!hasPage && !path.matches("/tasks/act"))
          assertThat(ada.get(path).status()).as("GET %s", path).isEqualTo(405);
      }
      assertThat(ada.get("/").status()).as("still logged in").isEqualTo(200);
    }
  }

  @Test
  void form_ofAnOldBrowserIsTakenByItsOrigin() {
    try (Client ada = client().as("ada", PASSWORD)) {
      String token = ada.get("/").token();
      Client.Page page =
          ada.send(ada.form("/preferences", token, "theme", "dark"), "Origin", console.url());
      assertThat(page.status()).isEqualTo(303);
    }
  }

  @Test
  void login_rotatesTheSession() {
    try (Client client = client()) {
      client.get("/login");
      String before = client.cookies().get("dibs");
      String token = client.get("/login").token();
      client.post("/login", token, "name", "ada", "password", PASSWORD);
      assertThat(client.cookies().get("dibs")).isNotEqualTo(before);
      assertThat(client.post("/logout", token).status()).as("the old token").isEqualTo(403);
      assertThat(client.get("/").status()).isEqualTo(200);
      client.post("/logout", client.get("/").token());
      assertThat(client.get("/").status()).isEqualTo(303);
    }
  }

  @Test
  void logout_everywhereEndsAllSessionsOfTheName() {
    try (Client one = client().as("otto", PASSWORD);
        Client other = client().as("otto", PASSWORD)) {
      one.post("/logout/everywhere", one.get("/").token());
      assertThat(other.get("/").status()).isEqualTo(303);
    }
  }

  @Test
  void login_refusesAlikeAndThenForAWhile() {
    try (Client client = client()) {
      String token = client.token();
      Client.Page unknown = client.post("/login", token, "name", "nobody", "password", "x");
      Client.Page wrong = client.post("/login", token, "name", "vera", "password", "x");
      assertThat(wrong.status()).isEqualTo(403).isEqualTo(unknown.status());
      assertThat(wrong.body()).contains("do not fit");
      assertThat(unknown.body()).contains("do not fit");
      Client.Page none =
          client.post("/login", token, "name", "x".repeat(9_000), "password", "x".repeat(257));
      assertThat(none.status()).as("what is no name").isEqualTo(403);
      assertThat(none.body()).contains("do not fit");
      for (int i = 1; i < 10; i++) client.post("/login", token, "name", "nobody", "password", "x");
      assertThat(client.post("/login", token, "name", "nobody", "password", "x").status())
          .isEqualTo(429);
      assertThat(client.post("/login", token, "name", "vera", "password", PASSWORD).status())
          .as("others may")
          .isEqualTo(303);
    }
  }

  @Test
  void login_leadsToOurPagesAlone() {
    for (String to :
        List.of(
            "//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/a\nb"))
      assertThat(LoginPages.target(Fields.parse("to=" + Client.encoded(to)))).as(to).isEqualTo("/");
    assertThat(LoginPages.target(Fields.parse("to=" + Client.encoded("/tasks?q=a%20b"))))
        .isEqualTo("/tasks?q=a%20b");
  }

  @Test
  void session_endsWhenIdleAndAfterAll() {
    var now = new Instant[] {Instant.parse("2026-11-20T12:00:00Z")};
    var sessions = new Sessions(() -> now[0]);
    String secret = sessions.open(new Visitor("ada", Role.ADMIN));
    for (int i = 0; i < 24; i++) {
      now[0] = now[0].plus(ofMinutes(29));
      assertThat(sessions.visit(secret)).isPresent();
    }
    now[0] = now[0].plus(ofMinutes(29));
    assertThat(sessions.visit(secret)).as("after 12 hours").isEmpty();
    String idle = sessions.open(new Visitor("ada", Role.ADMIN));
    now[0] = now[0].plus(ofMinutes(31));
    assertThat(sessions.isOpen(idle)).isFalse();
    assertThat(sessions.visit(idle)).as("idle").isEmpty();
  }

  @Test
  void throttle_forgetsWhatIsOld() {
    var now = new Instant[] {Instant.EPOCH};
    var throttle = new Throttle(2, ofHours(1), () -> now[0]);
    assertThat(List.of(throttle.admits("a"), throttle.admits("a"), throttle.admits("a")))
        .containsExactly(true, true, false);
    now[0] = now[0].plus(ofMinutes(61));
    assertThat(throttle.admits("a")).isTrue();
  }

  @Test
  void everyAnswer_tellsTheBrowserWhatNotToDo() {
    try (Client ada = client().as("ada", PASSWORD)) {
      for (String path : List.of("/", "/login", "/nowhere", "/tasks?size=7", "/assets/none.js")) {
        Client.Page page = ada.get(path);
        assertThat(page.header("Content-Security-Policy").orElse("")).isEqualTo(SafeHeaders.POLICY);
        assertThat(page.header("X-Content-Type-Options")).contains("nosniff");
        assertThat(page.header("Referrer-Policy")).contains("same-origin");
        assertThat(page.header("Cross-Origin-Opener-Policy")).contains("same-origin");
        assertThat(page.header("Cache-Control")).contains("no-store");
        assertThat(page.header("X-Request-Id").orElse("")).matches("[0-9a-f]{8}");
      }
      assertThat(ada.get("/nowhere").body()).contains(" · request <code>");
    }
  }

  @Test
  void cookies_areForThisHostAndNoScript() {
    try (Client client = client()) {
      assertThat(client.get("/login").header("Set-Cookie").orElse(""))
          .matches("dibs=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Lax");
    }
    assertThat(new Cookies(true).newSession("s"))
        .isEqualTo("__Host-dibs=s; Path=/; HttpOnly; SameSite=Lax; Secure");
  }

  @Test
  void local_refusesHostsThatAreNotThisMachine() throws Exception {
    try (TestConsole local = TestConsole.local(database, Role.ADMIN)) {
      assertThat(raw(local, "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"))
          .startsWith("HTTP/1.1 421");
      assertThat(raw(local, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
          .startsWith("HTTP/1.1 200");
    }
  }

  private static String raw(TestConsole to, String head) throws Exception {
    try (var socket =
        new Socket(InetAddress.getLoopbackAddress(), URI.create(to.url()).getPort())) {
      socket.getOutputStream().write(head.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().flush();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void proxy_isBelievedWithItsSecretAndFromItsAddress() throws Exception {
    String secret = "0123456789abcdef";
    var here = new Login.Proxy(List.of(InetAddress.getLoopbackAddress()), secret);
    try (TestConsole proxied = TestConsole.of(database, TestConsole.settings(here, "prod", false));
        Client client = new Client(proxied.url())) {
      String[] vera = {
        "X-Dibs-Proxy-Secret", secret, "X-Dibs-User", "vera", "X-Dibs-Role", "viewer"
      };
      assertThat(client.get("/", vera).body()).contains("You are <b>vera</b>, viewer");
      assertThat(client.get("/tasks/confirm", vera).status()).isEqualTo(403);
      assertThat(client.get("/").status()).isEqualTo(403);
      assertThat(client.get("/", "X-Dibs-Proxy-Secret", "wrong", "X-Dibs-User", "x").status())
          .isEqualTo(403);
      assertThat(client.get("/", "X-Dibs-Proxy-Secret", secret).status()).isEqualTo(401);
      assertThat(
              client
                  .get(
                      "/", "X-Dibs-Proxy-Secret", secret, "X-Dibs-User", "x", "X-Dibs-Role", "root")
                  .status())
          .isEqualTo(403);
    }
    var elsewhere =
        new Login.Proxy(List.of(InetAddress.getByAddress(new byte[] {10, 9, 9, 9})), secret);
    try (TestConsole proxied =
            TestConsole.of(database, TestConsole.settings(elsewhere, "prod", false));
        Client client = new Client(proxied.url())) {
      assertThat(
              client
                  .get(
                      "/",
                      "X-Dibs-Proxy-Secret",
                      secret,
                      "X-Dibs-User",
                      "x",
                      "X-Dibs-Role",
                      "admin")
                  .status())
          .isEqualTo(403);
    }
  }

  @Test
  void readOnly_refusesWhatAdminsSend() {
    var settings = TestConsole.settings(new Login.Local(Role.ADMIN), "staging", true);
    try (TestConsole frozen = TestConsole.of(database, settings);
        Client client = new Client(frozen.url())) {
      String token = client.get("/").token();
      assertThat(client.get("/").body()).contains("Read-only: the console was started so.");
      assertThat(client.get("/tasks?status=DEAD").body()).doesNotContain("name=\"task\"");
      for (Route route : routes()) {
        if (!route.changes()) continue;
        Client.Page page =
            route.method().equals("GET")
                ? client.get(path(route))
                : client.post(path(route), token);
        assertThat(page.status()).as(route.pattern()).isEqualTo(403);
        assertThat(page.body()).contains("Read-only");
      }
    }
  }

  @Test
  void settings_letNobodyInUnasked() {
    var everywhere = new InetSocketAddress("0.0.0.0", 0);
    assertThatThrownBy(() ->
            new ConsoleSettings(everywhere, false, new Login.Local(Role.VIEWER), "x", false, "1"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("lets others in");
    assertThat(
            new ConsoleSettings(
                    everywhere, false, new Login.Passwords(TestConsole.USERS), "x", false, "1")
                .securesCookies())
        .isTrue();
    assertThatThrownBy(() -> new Login.Proxy(List.of(InetAddress.getLoopbackAddress()), "short"))
        .hasMessageContaining("16 characters");
  }

  @Test
  void usersFile_saysWhatIsWrongWithIt() {
    Map<String, String> wrong =
        Map.of(
            "vera viewer",
            "line 1: a user is NAME ROLE HASH",
            "vera root " + Password.of(PASSWORD),
            "was 'root'",
            "vera viewer plain",
            "the hash is not like",
            "vera viewer pbkdf2-sha256$1000$AAAA$AAAA",
            "100000 to 10000000 iterations, has 1000",
            "# nobody",
            "names no user");
    wrong.forEach((line, why) ->
        assertThatThrownBy(() -> Users.of(List.of(line), "users")).hasMessageContaining(why));
    String line = Users.line("vera", Role.VIEWER, PASSWORD);
    assertThat(Users.of(List.of(line), "users").find("vera", PASSWORD))
        .contains(new Visitor("vera", Role.VIEWER));
    assertThatThrownBy(() -> Users.line("vera", Role.VIEWER, "short"))
        .hasMessageContaining("10 to 256 characters");
  }

  @Test
  void forms_areSmall() {
    try (Client ada = client().as("ada", PASSWORD)) {
      String token = ada.get("/").token();
      assertThat(ada.post("/preferences", token, "x", "a".repeat(70_000)).status()).isEqualTo(413);
      String[] many = new String[500];
      java.util.Arrays.fill(many, "x");
      assertThat(ada.post("/preferences", token, many).status()).isEqualTo(400);
      assertThat(ada.get("/tasks?kind=" + "a".repeat(5_000)).status()).isEqualTo(414);
    }
  }
}
