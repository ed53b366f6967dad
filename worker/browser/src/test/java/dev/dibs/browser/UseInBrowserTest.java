package dev.dibs.browser;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.assertions.PlaywrightAssertions;
import dev.dibs.browser.Chromium.Look;
import dev.dibs.console.testing.Scene;
import dev.dibs.console.testing.TestConsole;
import dev.dibs.testing.TestDatabase;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What people do in a browser: with keys alone, at the same time as others, while pages change. */
@Timeout(300)
class UseInBrowserTest {
  private static Chromium chromium;
  private static TestDatabase database;
  private static TestConsole console;

  @BeforeAll
  static void start() {
    PlaywrightAssertions.setDefaultAssertionTimeout(Tab.PATIENCE);
    chromium = new Chromium();
    database = TestDatabase.create();
    Scene.on(database).workers();
    console = TestConsole.withUsers(database);
  }

  @AfterAll
  static void stop() {
    chromium.close();
    console.close();
    database.close();
  }

  private static Tab tab(String name) {
    return chromium.open(console.url(), Look.LIGHT).logIn(name);
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

  @Test
  void task_isFoundOpenedAndCancelledByKeysAlone() {
    String id = task("keys");
    try (Tab tab = tab("otto")) {
      tab.press("g", "t");
      tab.page().waitForURL("**/tasks");
      tab.go("/tasks?status=PENDING");
      tab.press("/");
      tab.page().keyboard().type("keys");
      tab.press("Enter");
      tab.page().waitForURL("**queue=keys**");
      tab.press("j", "Enter");
      tab.page().waitForURL("**/tasks/" + id);
      tab.find("a.button:has-text('Cancel')").focus();
      tab.press("Enter");
      tab.page().waitForURL("**/confirm**");
      assertThat(tab.find("a.button[autofocus]")).isFocused();
      tab.press("Shift+Tab");
      tab.page().keyboard().type("INC-204");
      tab.press("Tab", "Tab", "Enter");
      assertThat(tab.find("h1")).hasText("1 done");
    }
    assertThat(status(id)).isEqualTo("CANCELLED");
  }

  @Test
  void task_isCancelledWithoutScript() {
    String id = task("scriptless");
    try (Tab tab = chromium.openWithoutScript(console.url()).logIn("otto")) {
      tab.go("/tasks?status=PENDING&queue=scriptless");
      tab.find("tbody input[type=checkbox]").check();
      tab.find("button[value=cancel]").click();
      assertThat(tab.find("h1")).hasText("Cancel 1 task?");
      tab.find("button.danger").click();
      assertThat(tab.find("h1")).hasText("1 done");
    }
    assertThat(status(id)).isEqualTo("CANCELLED");
  }

  @Test
  void twoOperators_onOneTask_theSecondSeesWhatItBecame() {
    String id = task("contested");
    try (Tab otto = tab("otto");
        Tab ada = tab("ada")) {
      for (Tab tab : List.of(otto, ada)) {
        tab.go("/tasks/" + id);
        tab.find("a.button:has-text('Cancel')").click();
      }
      otto.find("button.danger").click();
      assertThat(otto.find("h1")).hasText("1 done");
      ada.find("button.danger").click();
      assertThat(ada.find("h1")).hasText("Nothing was changed");
      assertThat(ada.find("main")).containsText("It is now");
      assertThat(ada.find("a.button:has-text('Run again')")).isVisible();
    }
  }

  @Test
  void schedule_isPausedAndThenRunNow() {
    database.execute(
        "insert into dibs.schedule (name, every, kind, queue, next_tick_at) values ('nightly', '1 day', 'report', 'nights', now() + interval '1 day')");
    try (Tab tab = tab("otto")) {
      tab.go("/schedules");
      tab.find("a[aria-label='Pause nightly']").click();
      assertThat(tab.find("h1")).hasText("Pause schedule nightly?");
      tab.find("textarea").fill("INC-204");
      tab.find("button.main:has-text('Pause')").click();
      assertThat(tab.find("#schedules")).containsText("paused by otto: INC-204");
      tab.find("a[aria-label='Run nightly now']").click();
      assertThat(tab.find("h1")).hasText("Run now: schedule nightly?");
      tab.find("button.main:has-text('Run now')").click();
      tab.page().waitForURL("**/tasks/**");
      assertThat(tab.find("main")).containsText("report");
    }
  }

  @Test
  void retention_thatSomebodyElseChangedIsLeft() {
    task("kept");
    try (Tab ada = tab("ada");
        Tab other = tab("ada")) {
      for (Tab tab : List.of(ada, other)) {
        tab.go("/queues/kept");
        tab.find("a.button:has-text('Retention')").click();
        tab.find("input[name=dead]").fill(tab == ada ? "30d" : "0");
        tab.find("textarea").fill("law");
      }
      ada.find("button.danger").click();
      ada.page().waitForURL("**/queues/kept");
      other.find("button.danger").click();
      assertThat(other.find("h1")).hasText("Nothing was changed");
      assertThat(other.find("main")).containsText("dead 720:00:00");
    }
    assertThat(database.value("select retention_dead::text from dibs.queue where name = 'kept'"))
        .isEqualTo("720:00:00");
  }

  @Test
  void button_pressedTwiceActsOnce() {
    String id = task("doubled");
    try (Tab tab = tab("otto")) {
      tab.go("/tasks/confirm?do=cancel&task=" + id + ":PENDING:0");
      tab.find("button.danger").dblclick();
      assertThat(tab.find("h1")).hasText("1 done");
    }
    assertThat(database.number("select count(*) from dibs.audit where target = ?", id))
        .isEqualTo(1);
  }

  @Test
  void session_thatEndsLeadsToTheLoginAndBack() {
    try (Tab tab = tab("ada");
        Tab other = tab("ada")) {
      tab.go("/workers");
      other.find(".menu summary").click();
      other.find("button:has-text('Everywhere')").click();
      other.page().waitForURL("**/login");
      tab.page().waitForURL("**/login?to=**"); // the stream says that it is over
      tab.page().getByLabel("Name").fill("ada");
      tab.page().getByLabel("Password").fill(TestConsole.PASSWORD);
      tab.find("main button").click();
      tab.page().waitForURL("**/workers");
    }
  }

  @Test
  void form_sentAfterTheSessionEndedChangesNothingAndSaysSo() {
    String id = task("late");
    try (Tab tab = tab("otto");
        Tab other = tab("otto")) {
      tab.go("/tasks/confirm?do=cancel&task=" + id + ":PENDING:0");
      other.find(".menu summary").click();
      other.find("button:has-text('Everywhere')").click();
      other.page().waitForURL("**/login");
      tab.find("button.danger").click();
      assertThat(tab.find("h1")).hasText("Logged out");
      assertThat(tab.find("main")).containsText("Nothing was changed");
      assertThat(tab.find("main a:has-text('Log in')")).isVisible();
    }
    assertThat(status(id)).isEqualTo("PENDING");
  }

  @Test
  void viewer_seesNoFormThatChangesAnything() {
    String id = task("seen");
    try (Tab tab = tab("vera")) {
      for (String path :
          List.of(
              "/tasks?status=PENDING",
              "/tasks/" + id,
              "/queues/seen",
              "/workers/" + Scene.worker(1))) {
        tab.go(path);
        assertThat(tab.find("main form[method=post] button").count()).as(path).isZero();
        assertThat(tab.find("main a.button").count()).as(path).isZero();
      }
    }
  }

  @Test
  void keys_areQuietInFieldsAndWhenSwitchedOff() {
    task("quiet");
    try (Tab tab = tab("vera")) {
      tab.go("/tasks?status=PENDING");
      tab.press("/");
      tab.page().keyboard().type("g?j.");
      assertThat(tab.find("input[name=queue]")).hasValue("g?j.");
      assertThat(tab.find("dialog[open]").count()).isZero();
      tab.find("h1").click();
      tab.press("?");
      assertThat(tab.find("dialog[open]")).isVisible();
      assertThat(tab.find("#key-list dt").count()).isEqualTo(16);
      tab.press("Escape");
      tab.find(".menu summary").click();
      tab.page().getByLabel("Single keys").selectOption("off");
      tab.find(".menu button:has-text('Save')").click();
      tab.find("html[data-keys=off]").waitFor();
      tab.press("?");
      assertThat(tab.find("dialog[open]").count()).isZero();
    }
  }
}
