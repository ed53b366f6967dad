package dev.dibs.browser;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.assertions.PlaywrightAssertions;
import dev.dibs.browser.Chromium.Look;
import dev.dibs.console.testing.Scene;
import dev.dibs.console.testing.TestConsole;
import dev.dibs.testing.TestDatabase;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What people do in a browser to many tasks at once. */
@Timeout(300)
class BulkInBrowserTest {
  private static final int PATIENCE = 20_000;
  private static final Path PICTURES =
      Path.of(System.getProperty("dibs.pictures", "target/pictures"));

  private static Chromium chromium;
  private static TestDatabase database;
  private static TestConsole console;

  @BeforeAll
  static void start() {
    PlaywrightAssertions.setDefaultAssertionTimeout(PATIENCE);
    chromium = new Chromium();
    database = TestDatabase.create();
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

  private static void bury(int tasks, String queue) {
    Scene.on(database).finished(tasks, "DEAD", queue, "k", "1 minute");
  }

  private static long waiting(String queue) {
    return database.number("select count(*) from dibs.task where queue = ?", queue);
  }

  /** Begins one that does a hundred tasks a second, and stays on its page. */
  private static void beginSlowly(Tab tab, String queue) {
    tab.go("/bulk/new?do=retry&status=DEAD&queue=" + queue);
    tab.find("select[name=rate]").selectOption("100");
    tab.find("textarea[name=why]").fill("INC-204 is mended");
    if (tab.find("input[name=word]").count() > 0) tab.find("input[name=word]").fill(queue);
    tab.find("main form button").click();
    assertThat(tab.find("#bulk-state")).hasText("▶ running");
  }

  @Test
  void tasks_areRunAgainByKeysAlone() {
    bury(30, "keys");
    try (Tab tab = tab("otto")) {
      tab.press("g", "t");
      tab.page().waitForURL("**/tasks");
      tab.go("/tasks?status=DEAD&queue=keys");
      tab.find("a:has-text('Act on all matching')").focus();
      tab.press("Enter");
      tab.page().waitForURL("**/bulk/new**");
      tab.find("a.button:has-text('Run again')").focus();
      tab.press("Enter");
      tab.page().waitForURL("**do=retry**");
      assertThat(tab.find("h1")).hasText("Run again 30 tasks?");
      assertThat(tab.find("a.button[autofocus]")).isFocused();
      tab.press("Shift+Tab");
      assertThat(tab.find("textarea[name=why]")).isFocused();
      tab.page().keyboard().type("INC-204");
      tab.press("Enter"); // begins a line, and nothing else
      tab.page().keyboard().type("is mended");
      assertThat(waiting("keys")).isZero();
      tab.press("Tab", "Tab", "Enter");
      assertThat(tab.find("#bulk-state")).hasText("✓ done");
      assertThat(tab.find("#bulk-seen")).hasText("30 of 30");
      tab.press("g", "b");
      tab.page().waitForURL("**/bulk");
      assertThat(tab.find("nav a[aria-current=page]")).hasText("Bulk");
    }
    assertThat(waiting("keys")).isEqualTo(30);
  }

  @Test
  void tasks_areCancelledWithoutScript_inProductionNotInPassing() {
    Scene.on(database).waiting(30, "scriptless", "k", 3, "1 minute");
    try (Tab tab = chromium.openWithoutScript(console.url()).logIn("otto")) {
      tab.go("/tasks?status=PENDING&queue=scriptless");
      tab.find("a:has-text('Act on all matching')").click();
      tab.find("a.button:has-text('Cancel')").click();
      tab.picture(PICTURES, "bulk-preview-prod-light");
      tab.find("textarea[name=why]").fill("INC-204 is mended");
      tab.find("button.danger").click(); // the browser asks for the queue's name
      assertThat(tab.find("h1")).hasText("Cancel 30 tasks?");
      tab.find("input[name=word]").fill("scriptles");
      tab.find("button.danger").click();
      assertThat(tab.find("h1")).hasText("Not begun");
      tab.page().goBack();
      tab.find("input[name=word]").fill("scriptless");
      tab.find("button.danger").click();
      assertThat(tab.find("h1")).containsText("Bulk");
      for (int i = 0; i < 200 && waiting("scriptless") > 0; i++) tab.page().reload();
      tab.page().reload();
      assertThat(tab.find("#bulk-state")).hasText("✓ done");
    }
    assertThat(waiting("scriptless")).isZero();
  }

  @Test
  void progress_movesWhileOneWatches() {
    bury(1_500, "watched");
    try (Tab tab = tab("ada")) {
      beginSlowly(tab, "watched");
      tab.run("window.stayed = true");
      String first = tab.find("#bulk-seen").textContent();
      assertThat(tab.find("#bulk-seen")).not().hasText(first);
      assertThat(tab.find("#bulk-state")).hasText("▶ running");
      assertThat(tab.find("main")).containsText("left");
      assertThat(tab.find("#live")).hasText("● live");
      tab.picture(PICTURES, "bulk-live-light");
      assertThat(tab.find("#bulk-state")).hasText("✓ done");
      assertThat(tab.find("#bulk-seen")).hasText("1,500 of 1,500");
      assertThat(tab.find("a.button:has-text('Interrupt')")).hasCount(0);
      assertThat(tab.run("window.stayed")).as("it is the same page still").isEqualTo(true);
    }
  }

  @Test
  void aBulk_isInterruptedAndResumed_andWhoMayNotSeesNoButton() {
    bury(1_500, "stopped");
    try (Tab otto = tab("otto");
        Tab vera = tab("vera")) {
      beginSlowly(otto, "stopped");
      String page = otto.page().url().substring(console.url().length());
      vera.go(page);
      assertThat(vera.find("#bulk-state")).hasText("▶ running");
      assertThat(vera.find("main a.button")).hasCount(0);
      otto.find("a.button:has-text('Interrupt')").click();
      assertThat(otto.find("a.button[autofocus]")).isFocused();
      otto.find("main form button").click();
      assertThat(otto.find("#bulk-state")).hasText("■ interrupted");
      assertThat(vera.find("#bulk-state")).hasText("■ interrupted"); // by its stream
      otto.find("a.button:has-text('Resume')").click();
      otto.find("main form button").click();
      assertThat(otto.find("#bulk-state")).hasText("▶ running");
      otto.go(page + "/confirm?do=interrupt");
      otto.find("main form button").click();
      assertThat(otto.find("#bulk-state")).hasText("■ interrupted");
    }
  }
}
