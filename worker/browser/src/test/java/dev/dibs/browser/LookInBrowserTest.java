package dev.dibs.browser;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.ForcedColors;
import dev.dibs.browser.Chromium.Look;
import dev.dibs.console.Role;
import dev.dibs.console.testing.Scene;
import dev.dibs.console.testing.TestConsole;
import dev.dibs.testing.TestDatabase;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is seen and found on pages: focus, colours, times, and addresses that lead back to them. */
@Timeout(300)
class LookInBrowserTest {
  /** So many points of two badges have another lightness at the least. */
  private static final int DISTINCT = 12;

  private static Chromium chromium;
  private static TestDatabase database;
  private static TestConsole console;

  @BeforeAll
  static void start() {
    PlaywrightAssertions.setDefaultAssertionTimeout(Tab.PATIENCE);
    chromium = new Chromium();
    database = TestDatabase.create();
    Scene.on(database).workers().tasks();
    console = TestConsole.local(database, Role.ADMIN);
  }

  @AfterAll
  static void stop() {
    chromium.close();
    console.close();
    database.close();
  }

  private static String first(String status) {
    String table = status.equals("DEAD") ? "task_history" : "task";
    return Objects.requireNonNull(
        database.value(
            "select id::text from dibs.%s where status = ?::dibs.task_status limit 1"
                .formatted(table),
            status));
  }

  @ParameterizedTest
  @EnumSource(names = {"LIGHT", "PHONE"})
  void everyControl_isReachedByTabInItsOrderAndSeen(Look look) {
    List<String> paths =
        List.of(
            "/",
            "/tasks?status=PENDING&queue=billing",
            "/tasks/" + first("DEAD"),
            "/tasks/confirm?do=cancel&task=" + first("PENDING") + ":PENDING:0",
            "/queues/billing",
            "/audit");
    try (Tab tab = chromium.open(console.url(), look)) {
      for (String path : paths) {
        tab.go(path);
        tab.press("l"); // nothing shall change meanwhile
        int controls =
            ((Number)
                    tab.run(
                        """
                        (window.controls = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
                          .filter((each) => each.type !== 'hidden' && each.tabIndex >= 0 && each.checkVisibility())).length
                        """))
                .intValue();
        assertThat(controls).as(path).isGreaterThan(15);
        tab.find(".skip").focus();
        List<Integer> reached = new ArrayList<>();
        for (int i = 1; i < controls; i++) {
          tab.press("Tab");
          reached.add(((Number) tab.run("controls.indexOf(document.activeElement)")).intValue());
          assertThat(focus(tab)).as("%s, control %s", path, reached.getLast()).isEmpty();
        }
        assertThat(reached).as(path).doesNotContain(-1, 0).isSorted().doesNotHaveDuplicates();
      }
    }
  }

  /** What is wrong with how the focus shows; empty: nothing. */
  private static String focus(Tab tab) {
    return String.valueOf(
        tab.run(
            """
            (() => {
              const at = document.activeElement;
              const style = getComputedStyle(at);
              const box = at.getClientRects()[0];
              const over = document.elementFromPoint(box.left + Math.min(box.width, 8) / 2, box.top + box.height / 2);
              if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) return at.outerHTML + ' has no ring';
              if (!over || !(at.contains(over) || over.contains(at))) return at.outerHTML + ' is behind ' + (over ? over.outerHTML : 'the edge');
              return '';
            })()
            """));
  }

  @Test
  void theme_isThatOfTheCookieFromTheFirstByteOnElseTheSystems() {
    try (Tab tab = chromium.open(console.url(), Look.LIGHT)) {
      tab.go("/");
      assertThat(tab.find("html")).hasCSS("background-color", "rgb(255, 255, 255)");
      tab.dim(ColorScheme.DARK);
      assertThat(tab.find("html")).hasCSS("background-color", "rgb(18, 21, 26)");
    }
    try (Tab tab = chromium.openWithoutScript(console.url())) {
      tab.go("/");
      tab.find(".menu summary").click();
      tab.page().getByLabel("Theme").selectOption("dark");
      tab.find(".menu button:has-text('Save')").click();
      assertThat(tab.find("html")).hasAttribute("data-theme", "dark");
      // No script can have set it: the page came like this, on a light system.
      assertThat(tab.find("html")).hasCSS("background-color", "rgb(18, 21, 26)");
    }
  }

  /** By their left ends, which hold the icon and the corners and not the word. */
  @ParameterizedTest
  @EnumSource(names = {"LIGHT", "DARK"})
  void badges_differWithoutColourAndInForcedColours(Look look) throws IOException {
    try (Tab tab = chromium.open(console.url(), look)) {
      tab.go("/queues/mail");
      assertThat(closest(tab)).as("grey").isGreaterThan(DISTINCT);
      tab.page().emulateMedia(new Page.EmulateMediaOptions().setForcedColors(ForcedColors.ACTIVE));
      assertThat(closest(tab)).as("forced colours").isGreaterThan(DISTINCT);
      for (Locator badge : badges(tab)) assertThat(badge).hasCSS("border-top-width", "1px");
    }
  }

  private static List<Locator> badges(Tab tab) {
    List<Locator> badges = tab.find("main .chips .badge").all();
    assertThat(badges).hasSize(7);
    return badges;
  }

  /** How much the two differ that are most alike. */
  private static int closest(Tab tab) throws IOException {
    List<BufferedImage> ends = new ArrayList<>();
    for (Locator badge : badges(tab))
      ends.add(ImageIO.read(new ByteArrayInputStream(badge.screenshot())));
    int least = Integer.MAX_VALUE;
    for (int i = 0; i < ends.size(); i++) {
      for (int j = 0; j < i; j++) least = Math.min(least, distance(ends.get(i), ends.get(j)));
    }
    return least;
  }

  private static int distance(BufferedImage one, BufferedImage other) {
    int points = 0;
    for (int x = 0; x < 22; x++) {
      for (int y = 0; y < Math.min(one.getHeight(), other.getHeight()); y++) {
        if (Math.abs(lightness(one.getRGB(x, y)) - lightness(other.getRGB(x, y))) > 40) points++;
      }
    }
    return points;
  }

  private static double lightness(int colour) {
    return 0.2126 * (colour >> 16 & 255) + 0.7152 * (colour >> 8 & 255) + 0.0722 * (colour & 255);
  }

  @Test
  void times_tickAndSayZoneAndUtcAndChangeAllAtOnce() {
    Scene.on(database).waiting(3, "timed", "k", 3, "2 seconds");
    String list = "/tasks?status=PENDING&queue=timed";
    try (Tab tab = chromium.open(console.url(), Look.LIGHT)) {
      tab.page().waitForResponse("**/preferences", () -> tab.go(list)); // the browser's zone
      tab.go(list);
      tab.press("l");
      assertThat(tab.find("#live")).hasText("○ paused, press l");
      Locator time = tab.find("tbody time").first();
      assertThat(time).hasText(Pattern.compile("\\d+ s ago"));
      assertThat(time).not().hasText(time.textContent());
      assertThat(time)
          .hasAttribute(
              "title",
              Pattern.compile(
                  "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} \\+0[12]:00 \\(\\d\\d:\\d\\d:\\d\\d\\.\\d{3} UTC\\)"));
      assertThat(tab.find(".zone")).hasText("Europe/Berlin");
      tab.page().waitForResponse("**/preferences", () -> tab.press("."));
      for (Locator each : tab.find("main time").all())
        assertThat(each).hasText(Pattern.compile("\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d"));
      tab.go("/tasks/" + first("DEAD"));
      for (Locator each : tab.find("main time").all())
        assertThat(each).hasText(Pattern.compile("\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d"));
    }
  }

  /** A browser whose clock is an hour ahead. */
  @Test
  void times_areThoseOfTheDatabaseHoweverWrongTheBrowsersClockIs() {
    Scene.on(database).waiting(1, "misjudged", "k", 3, "20 minutes");
    try (Tab tab = chromium.open(console.url(), Look.LIGHT)) {
      tab.page().clock().setFixedTime(System.currentTimeMillis() + 3_600_000);
      tab.go("/tasks?status=PENDING&queue=misjudged");
      assertThat(tab.find("tbody time")).hasText(Pattern.compile("2\\d min ago"));
      tab.page().waitForResponse("**/preferences", () -> tab.press("."));
      tab.press(".");
      assertThat(tab.find("tbody time")).hasText(Pattern.compile("2\\d min ago"));
    }
  }

  @Test
  void filters_areTheAddressThatReloadBackAndOthersCome() {
    try (Tab tab = chromium.open(console.url(), Look.LIGHT);
        Tab other = chromium.open(console.url(), Look.PHONE)) {
      tab.go("/tasks?status=DEAD");
      assertThat(tab.find("tbody tr")).hasCount(41);
      tab.page().getByLabel("Queue").fill("mail");
      tab.page().getByLabel("Last error has").fill("host 1");
      tab.find(".filters button").click();
      assertThat(tab.page())
          .hasURL(console.url() + "/tasks?status=DEAD&queue=mail&error=host+1&size=50");
      List<String> found = rows(tab);
      assertThat(found).hasSize(11);
      tab.page().reload();
      assertThat(rows(tab)).isEqualTo(found);
      assertThat(tab.page().getByLabel("Queue")).hasValue("mail");
      tab.find("tbody a").first().click();
      assertThat(tab.find("h1")).containsText(found.getFirst().substring(2));
      tab.page().goBack();
      assertThat(rows(tab)).isEqualTo(found);
      other.go(tab.page().url().substring(console.url().length()));
      assertThat(rows(other)).isEqualTo(found);
      tab.find("[aria-label=Filters] a:has-text('queue: mail')").click();
      assertThat(tab.page()).hasURL(console.url() + "/tasks?status=DEAD&error=host%201");
    }
  }

  private static List<String> rows(Tab tab) {
    return tab.find("tbody tr").all().stream()
        .map(row -> Objects.requireNonNull(row.getAttribute("id")))
        .toList();
  }

  @Test
  void pages_areTurnedByKeysForthAndBack() {
    Scene.on(database).finished(60, "CANCELLED", "turned", "k", "1 minute");
    try (Tab tab = chromium.open(console.url(), Look.LIGHT)) {
      tab.go("/tasks?status=CANCELLED&queue=turned&size=25");
      List<String> first = rows(tab);
      tab.press("]");
      tab.page().waitForURL("**after=**");
      List<String> second = rows(tab);
      tab.press("]");
      assertThat(tab.find("tbody tr")).hasCount(10);
      tab.press("[");
      tab.page().waitForURL("**before=**");
      assertThat(rows(tab)).isEqualTo(second);
      tab.press("[");
      assertThat(tab.find("a[rel=first]")).hasCount(0);
      assertThat(rows(tab)).isEqualTo(first).doesNotContainAnyElementsOf(second);
    }
  }

  /** Also without script. */
  @Test
  void filters_foldOnAPhone() {
    try (Tab tab = chromium.open(console.url(), Look.PHONE)) {
      tab.go("/tasks?status=DEAD&queue=mail&kind=send-receipt");
      assertThat(tab.find(".fold summary")).hasText("Filters (2)");
      assertThat(tab.page().getByLabel("Queue")).isHidden();
      tab.find(".fold summary").click();
      assertThat(tab.page().getByLabel("Queue")).isVisible();
    }
    try (Tab tab = chromium.open(console.url(), Look.LIGHT)) {
      tab.go("/tasks?status=DEAD&queue=mail&kind=send-receipt");
      assertThat(tab.find(".fold")).isHidden();
      assertThat(tab.page().getByLabel("Queue")).isVisible();
    }
  }
}
