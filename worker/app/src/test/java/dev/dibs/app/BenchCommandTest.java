package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Timeout(120)
class BenchCommandTest {
  @Test
  void bench_printsALineAResultAndLeavesNothingBehind() {
    try (TestDatabase db = TestDatabase.createEmpty()) {
      Run run =
          Run.dibs(
              "bench",
              "enqueue-bulk",
              "held-snapshot",
              "--database-url",
              db.url(),
              "--tasks",
              "1000",
              "--rounds",
              "1",
              "--json");
      assertThat(run.code()).as(run.err()).isZero();
      List<JsonNode> results = run.out().lines().map(JsonMapper.shared()::readTree).toList();
      assertThat(results).hasSize(11);
      assertThat(results.getFirst().path("scenario").asString()).isEqualTo("enqueue-bulk");
      assertThat(results.getFirst().path("ratio").asDouble()).isPositive();
      assertThat(results.getFirst().path("tasks").asInt()).isEqualTo(1_000);
      assertThat(db.number("select count(*) from pg_namespace where nspname like 'dibs%'"))
          .isZero();
    }
  }

  @Test
  void bench_refusesWhatItCannotMeasure() {
    assertThat(Run.dibs("bench", "everything").code()).isEqualTo(2);
    assertThat(Run.dibs("bench", "everything").err()).contains("'everything'", "held-snapshot");
    assertThat(Run.dibs("bench").code()).isEqualTo(2);
  }
}
