package dev.dibs.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.microsoft.playwright.options.ColorScheme;
import dev.dibs.browser.Chromium.Look;
import dev.dibs.console.Role;
import dev.dibs.console.testing.Scene;
import dev.dibs.console.testing.TestConsole;
import dev.dibs.testing.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Every page as people see it: read by machines for the blind, on phones, in the dark; pictures.
 */
@Timeout(600)
class PagesInBrowserTest {
  private static final String WCAG = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']";
  private static final String COLOURS = "['color-contrast', 'link-in-text-block']";
  private static final Path PICTURES =
      Path.of(System.getProperty("dibs.pictures", "target/pictures"));

  private static Chromium chromium;
  private static TestDatabase incident;
  private static TestDatabase empty;
  private static TestDatabase hostile;
  private static TestConsole console;
  private static TestConsole fresh;
  private static TestConsole attacked;
  private static TestConsole guarded;

  @BeforeAll
  static void start() throws IOException {
    Files.createDirectories(PICTURES);
    chromium = new Chromium();
    incident = TestDatabase.create();
    Scene.on(incident).workers().tasks().bulks();
    incident.execute(
        """
        insert into dibs.schedule (name, cron, zone, kind, queue, next_tick_at, last_tick_at, paused_at, paused_by, paused_why)
        values ('nightly-report', '30 2 * * *', 'Europe/Berlin', 'monthly', 'billing', now() + interval '9 h', now() - interval '15 h', null, null, null),
          ('sync-crm', '*/5 * * * *', 'UTC', 'send-receipt', 'mail', now(), null, now() - interval '2 h', 'ana', 'INC-204: the CRM is down')\
        """);
    empty = TestDatabase.create();
    hostile = TestDatabase.create();
    Scene.on(hostile).workers().hostile();
    console = TestConsole.local(incident, Role.ADMIN);
    fresh = TestConsole.local(empty, Role.ADMIN);
    attacked = TestConsole.local(hostile, Role.ADMIN);
    guarded = TestConsole.withUsers(incident);
  }

  @AfterAll
  static void stop() {
    chromium.close();
    for (TestConsole each : List.of(console, fresh, attacked, guarded)) each.close();
    for (TestDatabase each : List.of(incident, empty, hostile)) each.close();
  }

  private static String first(String status) {
    String table = status.matches("DEAD|SUCCEEDED|CANCELLED") ? "task_history" : "task";
    return String.valueOf(
        incident.value(
            "select id::text from dibs." + table + " where status = ?::dibs.task_status limit 1",
            status));
  }

  /** By the name of its picture. */
  private static Map<String, String> pages() {
    Map<String, String> pages = new LinkedHashMap<>();
    pages.put("overview", "/");
    for (String status : List.of("PENDING", "PROCESSING", "DEAD", "SCHEDULED"))
      pages.put(
          "tasks-" + status.toLowerCase(java.util.Locale.ROOT), "/tasks?size=25&status=" + status);
    pages.put(
        "tasks-filtered", "/tasks?status=DEAD&queue=mail&kind=send-receipt&since=-24h&size=25");
    pages.put("tasks-none", "/tasks?status=DEAD&kind=none");
    pages.put("task-dead", "/tasks/" + first("DEAD"));
    pages.put("task-pending", "/tasks/" + first("PENDING"));
    pages.put("task-confirm", "/tasks/confirm?do=cancel&task=" + first("PENDING") + ":PENDING:0");
    pages.put(
        "task-confirm-stale", "/tasks/confirm?do=move&task=" + first("PENDING") + ":PENDING:3");
    pages.put("queues", "/queues");
    pages.put("queue", "/queues/mail");
    pages.put("queue-paused", "/queues/billing");
    pages.put("queue-confirm", "/queues/mail/confirm?do=pause");
    pages.put("kinds", "/kinds");
    pages.put("kind", "/kinds/monthly");
    pages.put("workers", "/workers");
    pages.put("worker", "/workers/" + Scene.worker(1));
    pages.put("worker-confirm", "/workers/" + Scene.worker(1) + "/confirm?do=drain");
    pages.put("schedules", "/schedules");
    pages.put("schedule", "/schedules/nightly-report");
    pages.put("schedule-confirm", "/schedules/sync-crm/confirm?do=run");
    pages.put("retention", "/queues/mail/retention");
    pages.put("failures", "/failures");
    pages.put("doctor", "/doctor");
    pages.put("audit", "/audit");
    pages.put("bulks", "/bulk");
    pages.put("bulk-done", "/bulk/" + Scene.bulk(1));
    pages.put("bulk-running", "/bulk/" + Scene.bulk(3));
    pages.put("bulk-gone", "/bulk/" + Scene.bulk(4));
    pages.put("bulk-failed", "/bulk/" + Scene.bulk(5));
    pages.put("bulk-confirm", "/bulk/" + Scene.bulk(3) + "/confirm?do=interrupt");
    pages.put("bulk-choose", "/bulk/new?status=PENDING&queue=mail&kind=send-receipt");
    pages.put("bulk-target", "/bulk/new?do=move&status=PENDING&queue=mail");
    pages.put("bulk-preview", "/bulk/new?do=retry&status=DEAD&queue=mail&since=-24h");
    pages.put("bulk-preview-none", "/bulk/new?do=retry&status=DEAD&queue=none");
    pages.put("error-bulk-of-everything", "/bulk/new?do=retry&status=DEAD");
    pages.put("error-not-found", "/tasks/0197f3c2-7b1e-7a33-9d52-1f0c6f3b9a11");
    pages.put("error-parameter", "/tasks?size=9999");
    return pages;
  }

  /** Where a page is looked at, and how it is told what is wrong with it. */
  private interface Glance {
    List<String> at(Tab tab, String name);
  }

  private static void everyPage(Look look, Glance glance) {
    List<String> findings = new ArrayList<>();
    try (Tab tab = chromium.open(console.url(), look)) {
      pages()
          .forEach((name, path) -> {
            tab.go(path);
            findings.addAll(glance.at(tab, name));
          });
    }
    try (Tab tab = chromium.open(guarded.url(), look)) {
      tab.go("/login");
      findings.addAll(glance.at(tab, "login"));
    }
    try (Tab tab = chromium.open(fresh.url(), look)) {
      for (String path :
          List.of("/", "/tasks", "/queues", "/kinds", "/workers", "/failures", "/bulk", "/audit")) {
        tab.go(path);
        findings.addAll(glance.at(tab, "empty" + path.replace("/", "-")));
      }
    }
    assertThat(findings).isEmpty();
  }

  /** What is dark is the same page in other colours. */
  @Test
  void everyPage_isAccessibleLightAndDark() {
    everyPage(
        Look.LIGHT,
        (tab, name) -> {
          List<String> findings = new ArrayList<>(looked(tab, name + "-light", WCAG));
          tab.dim(ColorScheme.DARK);
          findings.addAll(looked(tab, name + "-dark", COLOURS));
          tab.dim(ColorScheme.LIGHT);
          return findings;
        });
  }

  @Test
  void everyPage_isAccessibleOnAPhone() {
    everyPage(Look.PHONE, (tab, name) -> looked(tab, name + "-phone", WCAG));
  }

  /** By axe itself: its builder brings all that it found to be right along, which takes longer. */
  private static List<String> looked(Tab tab, String name, String rules) {
    tab.picture(PICTURES, name);
    tab.run("window.axe || " + AxeBuilder.getAxeScript() + "; 0");
    Object violations =
        tab.run(
            """
            axe.run({ runOnly: %s, resultTypes: ['violations'] })
              .then((found) => found.violations.map((each) => each.id + ' ' + each.nodes[0].html))
            """
                .formatted(rules));
    List<String> findings = new ArrayList<>();
    for (Object violation : (List<?>) violations) findings.add(name + ": " + violation);
    if (!isWithinItsWidth(tab)) findings.add(name + ": scrolls sideways");
    return findings;
  }

  private static boolean isWithinItsWidth(Tab tab) {
    return Boolean.TRUE.equals(
        tab.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
  }

  /** 320 points wide, as a screen of 1280 is at 400 %. */
  @Test
  void everyPage_fitsAtFourTimesItsSize() {
    everyPage(
        Look.NARROW, (tab, name) -> isWithinItsWidth(tab) ? List.of() : List.of(name + " is wide"));
  }

  @Test
  void everyPage_worksWithoutScript() {
    try (Tab tab = chromium.openWithoutScript(console.url())) {
      pages()
          .forEach((name, path) -> {
            int status = tab.go(path);
            assertThat(status).as(name).isEqualTo(name.startsWith("error-") ? status : 200);
            assertThat(tab.find("main h1").textContent()).as(name).isNotBlank();
          });
    }
  }

  @Test
  void hostileText_staysText() {
    try (Tab tab = chromium.open(attacked.url(), Look.LIGHT)) {
      for (String path :
          List.of(
              "/",
              "/tasks",
              "/tasks?status=DEAD",
              "/tasks/" + Scene.hostileTask(),
              "/queues",
              "/kinds",
              "/workers",
              "/workers/" + Scene.worker(9),
              "/schedules",
              "/failures",
              "/bulk",
              "/bulk/" + Scene.hostileTask(),
              "/audit")) {
        assertThat(tab.go(path)).as(path).isEqualTo(200);
        assertThat(tab.find("main img, main script").count()).as(path).isZero();
        assertThat(isWithinItsWidth(tab)).as(path).isTrue();
      }
      tab.go("/tasks/" + Scene.hostileTask());
      tab.picture(PICTURES, "task-hostile");
    }
  }

  @Test
  void tables_keepTheirRolesOnAPhone() {
    try (Tab tab = chromium.open(console.url(), Look.PHONE)) {
      tab.go("/tasks?status=DEAD");
      var roles = com.microsoft.playwright.options.AriaRole.ROW;
      assertThat(tab.page().getByRole(roles).count()).isGreaterThan(20);
      assertThat(tab.find("td[data-label]").first().getAttribute("data-label")).isEqualTo("Kind");
    }
  }
}
