package dev.dibs.browser;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import dev.dibs.browser.Chromium.Look;
import dev.dibs.console.ConsoleSettings;
import dev.dibs.console.Login;
import dev.dibs.console.Role;
import dev.dibs.console.testing.Scene;
import dev.dibs.console.testing.TestConsole;
import dev.dibs.testing.TestDatabase;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pages that change while people read, point and type, and while servers and databases go away. */
@Timeout(300)
class LiveInBrowserTest {
  /** On a slow machine the sampler rests long; in milliseconds. */
  private static final int SAMPLED = 60_000;

  private static Chromium chromium;
  private static TestDatabase database;
  private static TestConsole console;

  @BeforeAll
  static void start() {
    PlaywrightAssertions.setDefaultAssertionTimeout(Tab.PATIENCE);
    chromium = new Chromium();
    database = TestDatabase.create();
    Scene.on(database).workers();
    console = TestConsole.local(database, Role.ADMIN);
  }

  @AfterAll
  static void stop() {
    chromium.close();
    console.close();
    database.close();
  }

  private static Tab tab(TestConsole of) {
    return chromium.open(of.url(), Look.LIGHT);
  }

  /** A new ready task of a queue of its own, of which {@code attempts} have failed. */
  private static String task(String queue, int attempts) {
    Scene.on(database).waiting(1, queue, "k", 3, "1 minute");
    fail(queue, attempts);
    return Objects.requireNonNull(
        database.value("select id::text from dibs.task where queue = ?", queue));
  }

  private static void fail(String queue, int attempts) {
    database.execute(
        """
        update dibs.task set attempt = ?, errors = (select jsonb_agg(jsonb_build_object('attempt', n, 'at', clock_timestamp(),
          'class', 'shop.SmtpException', 'message', 'try ' || n, 'stack', E'at shop.Mailer\\nat shop.Main')) from generate_series(1, ?) n)
        where queue = ?
        """,
        attempts,
        attempts,
        queue);
  }

  @Test
  void change_keepsFocusSelectionOpenDetailsAndWhatIsTyped() {
    String id = task("morphed", 2);
    try (Tab tab = tab(console)) {
      tab.go("/tasks/" + id);
      tab.find("#attempt-1 summary").click();
      tab.find("input[name=why]").fill("half a rea");
      tab.find("input[name=why]").focus();
      fail("morphed", 7);
      assertThat(tab.find("#state")).containsText("attempt 7");
      assertThat(tab.find("#attempts tbody tr")).hasCount(7);
      assertThat(tab.find("#attempts details[open]")).hasCount(1);
      assertThat(tab.find("#attempt-1 details")).hasAttribute("open", "");
      assertThat(tab.find("input[name=why]")).isFocused();
      assertThat(tab.find("input[name=why]")).hasValue("half a rea");
      assertThat(tab.find("#live")).hasText("● live");
      tab.find("#state a.button").first().focus();
      tab.run("getSelection().selectAllChildren(document.querySelector('#attempt-2 .message'))");
      fail("morphed", 8);
      assertThat(tab.find("#state")).containsText("attempt 8");
      assertThat(tab.find("#state a.button").first()).isFocused();
      assertThat(tab.run("getSelection().toString()")).isEqualTo("try 2");
    }
  }

  @Test
  void newRows_waitUntilTheyAreAskedFor() {
    Scene.on(database).finished(2, "DEAD", "growing", "k", "1 minute");
    try (Tab tab = tab(console)) {
      tab.go("/tasks?status=DEAD&queue=growing");
      String first = tab.find("tbody tr").first().getAttribute("id");
      tab.find("tbody input[type=checkbox]").first().check();
      Scene.on(database).finished(3, "DEAD", "growing", "k", "1 second");
      assertThat(tab.find("#newer")).hasText("3 newer, press n");
      assertThat(tab.find("tbody tr")).hasCount(2);
      assertThat(tab.find("tbody tr").first()).hasAttribute("id", Objects.requireNonNull(first));
      assertThat(tab.find("tbody input[type=checkbox]").first()).isChecked();
      tab.find("h1").click();
      tab.press("n");
      assertThat(tab.find("tbody tr")).hasCount(5);
    }
  }

  @Test
  void rowUnderThePointer_staysWhereItIs() {
    Scene.on(database)
        .waiting(1, "order-a", "k", 3, "10 minutes")
        .waiting(1, "order-b", "k", 3, "6 minutes");
    Pattern ab = Pattern.compile("order-a.*order-b", Pattern.DOTALL);
    try (Tab tab = tab(console)) {
      tab.go("/queues?q=order-");
      assertThat(tab.find("#queue-rows"))
          .hasText(ab, new LocatorAssertions.HasTextOptions().setTimeout(SAMPLED));
      tab.find("#queue-rows tr").last().hover();
      Scene.on(database).waiting(1, "order-b", "k", 2, "2 hours");
      assertThat(tab.find("#queue-rows"))
          .containsText("2 h", new LocatorAssertions.ContainsTextOptions().setTimeout(SAMPLED));
      assertThat(tab.find("#queue-rows")).hasText(ab);
      tab.find("h1").hover();
      assertThat(tab.find("#queue-rows"))
          .hasText(Pattern.compile("order-b.*order-a", Pattern.DOTALL));
    }
  }

  @Test
  void hiddenTab_closesItsStreamAndOpensItAgain() {
    try (Tab tab = tab(console)) {
      List<String> ended = new ArrayList<>();
      tab.page().onRequestFailed(request -> ended.add(request.url()));
      tab.page().onRequestFinished(request -> ended.add(request.url()));
      tab.go("/workers");
      assertThat(tab.find("#live")).hasText("● live");
      hide(tab, true);
      tab.page().waitForCondition(() -> ended.stream().anyMatch(url -> url.contains("/live?")));
      tab.page().waitForRequest(Pattern.compile("/live\\?"), () -> hide(tab, false));
    }
  }

  private static void hide(Tab tab, boolean hidden) {
    tab.run(
        "Object.defineProperty(document, 'hidden', { configurable: true, get: () => %s });"
                .formatted(hidden)
            + "document.dispatchEvent(new Event('visibilitychange'))");
  }

  /** All of them think that they are seen: the worst case. */
  @Test
  void tenTabs_stillAnswerClicks() {
    try (Tab tab = tab(console)) {
      List<Page> pages = new ArrayList<>(List.of(tab.page()));
      while (pages.size() < 10) pages.add(tab.page().context().newPage());
      for (Page page : pages) page.navigate(console.url() + "/workers");
      for (Page page : pages) assertThat(page.locator("#live")).hasText("● live");
      for (Page page : pages) {
        page.locator("nav a[href='/queues']").click();
        assertThat(page.locator("h1")).hasText("Queues");
      }
    }
  }

  private static ConsoleSettings settings(Login login, int port) {
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    return new ConsoleSettings(address, false, login, "dev", false, "1.4.0");
  }

  private static void forgive(Tab tab) {
    tab.complaints().removeIf(text -> text.contains("ERR_") || text.contains("MIME type"));
  }

  @Test
  void console_thatIsStartedAgainIsFoundAgain() {
    Scene.on(database).finished(2, "DEAD", "restarted", "k", "1 minute");
    Login login = new Login.Local(Role.OPERATOR);
    TestConsole mortal = TestConsole.of(database, settings(login, 0));
    int port = URI.create(mortal.url()).getPort();
    try (Tab tab = tab(mortal)) {
      tab.go("/tasks?status=DEAD&queue=restarted");
      assertThat(tab.find("#live")).hasText("● live");
      mortal.close();
      assertThat(tab.find("#live")).containsText("○ not live since");
      try (TestConsole next = TestConsole.of(database, settings(login, port))) {
        assertThat(next.url()).isEqualTo(tab.url());
        Scene.on(database).finished(1, "DEAD", "restarted", "k", "1 second");
        assertThat(tab.find("#live")).hasText("● live");
        assertThat(tab.find("#newer")).hasText("1 newer, press n");
        assertThat(tab.find("tbody tr")).hasCount(2);
        tab.find("tbody input[type=checkbox]").first().check();
        tab.find("button[value=retry]").click(); // with the token of the new process
        assertThat(tab.find("h1")).hasText("Run again 1 task?");
      }
      forgive(tab);
    }
  }

  @Test
  void console_thatForgotWhoIsLoggedInAsksThem() {
    Login login = new Login.Passwords(TestConsole.USERS);
    TestConsole mortal = TestConsole.of(database, settings(login, 0));
    int port = URI.create(mortal.url()).getPort();
    try (Tab tab = tab(mortal).logIn("otto")) {
      tab.go("/workers");
      assertThat(tab.find("#live")).hasText("● live");
      mortal.close();
      try (TestConsole next = TestConsole.of(database, settings(login, port))) {
        tab.page().waitForURL("**/login?to=**");
        assertThat(next.url()).isEqualTo(tab.url());
      }
      forgive(tab);
    }
  }

  @Test
  void lockedTable_isSaidWhereItMattersAndTriedAgain() throws SQLException {
    try (TestDatabase locked = TestDatabase.create();
        TestConsole stuck = TestConsole.local(locked, Role.OPERATOR);
        Tab open = tab(stuck);
        Tab tab = tab(stuck);
        Connection connection = locked.connect();
        var statement = connection.createStatement()) {
      Scene.on(locked).waiting(2, "mail", "k", 3, "1 minute");
      open.go("/tasks?status=PENDING&queue=mail");
      assertThat(open.find("#live")).hasText("● live");
      connection.setAutoCommit(false);
      statement.execute("lock table dibs.task in access exclusive mode");
      assertThat(tab.go("/tasks?status=PENDING&queue=mail")).isEqualTo(503);
      assertThat(tab.find("h1")).hasText("Not answered in time");
      assertThat(tab.find("main")).containsText(Pattern.compile("request [0-9a-f]{8}"));
      assertThat(tab.find("nav a").first()).isVisible();
      assertThat(open.find("#live")).containsText("○ not live since");
      assertThat(open.find("tbody tr")).hasCount(2);
      String again = tab.find("main a:has-text('Try again')").getAttribute("href");
      connection.rollback();
      assertThat(tab.go(again)).isEqualTo(200);
      assertThat(tab.find("tbody tr")).hasCount(2);
      assertThat(open.find("#live")).hasText("● live");
    }
  }

  @Test
  void database_thatIsGoneIsSaidAndComesBackByItself() throws SQLException {
    TestDatabase mortal = TestDatabase.create();
    Scene.on(mortal).waiting(2, "mail", "k", 3, "1 minute");
    try (mortal;
        TestConsole over = TestConsole.local(mortal, Role.OPERATOR);
        Tab overview = tab(over);
        Tab tasks = tab(over)) {
      overview.go("/");
      assertThat(overview.find("#queue-rows")).containsText("mail");
      assertThat(overview.find("#banner")).isEmpty();
      connections(mortal, false);
      assertThat(overview.find("#banner"))
          .containsText(
              "The database has not answered since",
              new LocatorAssertions.ContainsTextOptions().setTimeout(SAMPLED));
      assertThat(overview.find("#queue-rows")).containsText("mail");
      assertThat(overview.find("#overview")).hasCSS("filter", "grayscale(1)");
      assertThat(tasks.go("/tasks?status=PENDING&queue=mail")).isEqualTo(503);
      assertThat(tasks.find("h1")).hasText("The database does not answer");
      connections(mortal, true);
      assertThat(overview.find("#banner"))
          .isEmpty(new LocatorAssertions.IsEmptyOptions().setTimeout(SAMPLED));
      assertThat(overview.find("#overview")).hasCSS("filter", "none");
      assertThat(tasks.find("tbody tr")).hasCount(2);
    }
  }

  /** Takes connections or refuses them all, and ends those that there are. */
  private static void connections(TestDatabase of, boolean allowed) throws SQLException {
    String url = of.url();
    String name = url.replaceFirst("jdbc:postgresql://[^/]*/([^?]*).*", "$1");
    try (Connection connection = DriverManager.getConnection(url.replace("/" + name, "/postgres"));
        var statement = connection.createStatement()) {
      statement.execute("alter database %s allow_connections %s".formatted(name, allowed));
      if (!allowed)
        statement.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = '%s'"
                .formatted(name));
    }
  }
}
