package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Timeout(180)
class DemoCommandTest {
  private static JsonNode json(Run run) {
    return JsonMapper.shared().readTree(run.out().lines().toList().getLast());
  }

  @Test
  void demo_holdsThoughAProcessIsKilled() {
    try (TestDatabase db = TestDatabase.createEmpty()) {
      Run run =
          Run.dibs(
              "demo", "--database-url", db.url(), "--tasks", "3000", "--processes", "2", "--json");
      JsonNode report = json(run);
      assertThat(run.code()).as(run.err()).isZero();
      assertThat(report.path("ok").asBoolean()).isTrue();
      assertThat(report.path("tasks").path("succeeded").asInt()).isEqualTo(3_000);
      assertThat(report.path("tasks").path("rescued").asInt()).isPositive();
      assertThat(report.path("bookings").path("sold").asInt()).isEqualTo(75);
      assertThat(report.path("perProcess")).hasSize(3);
      assertThat(run.err()).containsPattern("SIGKILL to w[12] ").contains("ALL HOLDS");
    }
  }

  @Test
  void demo_goesWrongWithNaiveHandlers() {
    try (TestDatabase db = TestDatabase.createEmpty()) {
      Run run =
          Run.dibs(
              "demo",
              "--database-url",
              db.url(),
              "--tasks",
              "3000",
              "--processes",
              "2",
              "--naive",
              "--json");
      assertThat(run.code()).isEqualTo(1);
      assertThat(json(run).path("ok").asBoolean()).isFalse();
      assertThat(json(run).path("broken").toString())
          .contains("the accounts hold", "sold more than once");
    }
  }

  @Test
  void demo_refusesSizesThatMakeNoSense() {
    assertThat(Run.dibs("demo", "--tasks", "5").code()).isEqualTo(2);
    assertThat(Run.dibs("demo", "--processes", "0").err())
        .contains("--processes must be 1 to 32, was 0");
  }
}
