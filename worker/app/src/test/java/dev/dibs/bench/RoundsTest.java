package dev.dibs.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.bench.Rounds.Round;
import dev.dibs.bench.Rounds.Take;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class RoundsTest {
  private static Round round(double seconds) {
    return new Round(100, seconds, Measurement.Times.UNKNOWN, Measurement.Cost.UNKNOWN, Map.of())
        .also("depth", seconds);
  }

  @Test
  void rounds_areTakenInTurnAndTheMedianSpeaks() throws Exception {
    Iterator<Double> seconds = List.of(4.0, 1.0, 2.0).iterator();
    List<String> reported = new ArrayList<>();
    var takes =
        List.of(new Take("raw", () -> round(1)), new Take("ours", () -> round(seconds.next())));
    List<Rounds> rounds = Rounds.inTurn(3, reported::add, takes);
    assertThat(reported).containsExactly("raw", "ours", "raw", "ours", "raw", "ours");

    Measurement measured =
        rounds
            .get(1)
            .measured(new Measurement.Setup("s", "v", 100, 8, 1, 3), rounds.get(0).perSecond());

    assertThat(measured.pace()).isEqualTo(new Measurement.Pace(2, 50, 25, 100));
    assertThat(measured.ratio()).isEqualTo(0.5);
    assertThat(measured.named())
        .containsEntry("tasks_per_s", 50.0)
        .containsEntry("min_tasks_per_s", 25.0)
        .containsEntry("max_tasks_per_s", 100.0)
        .containsEntry("limit_tasks_per_s", 100.0)
        .containsEntry("p99_ms", null)
        .containsEntry("depth", 2.0);
  }

  @Test
  void percentiles_areTimesThatWereMeasured() {
    long[] nanos = LongStream.rangeClosed(1, 200).map(n -> (201 - n) * 1_000_000).toArray();
    assertThat(Percentiles.of(nanos)).isEqualTo(new Measurement.Times(100, 198));
    assertThat(Percentiles.of(7_000_000)).isEqualTo(new Measurement.Times(7, 7));
  }

  @Test
  void spread_namesItsEnds() {
    Map<String, Double> named = new java.util.LinkedHashMap<>();
    Spread.of(3, 9, 1).into(named, "rss_mib");
    assertThat(named)
        .containsExactly(
            Map.entry("rss_mib", 3.0),
            Map.entry("min_rss_mib", 1.0),
            Map.entry("max_rss_mib", 9.0));
  }
}
