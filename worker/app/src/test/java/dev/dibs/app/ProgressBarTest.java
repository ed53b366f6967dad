package dev.dibs.app;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
  private final StringWriter err = new StringWriter();

  private Shell shell(boolean terminal) {
    return new Shell(
        System.in, new Output(err), new PrintWriter(err), Map.of(), descriptor -> terminal);
  }

  @Test
  void bar_fillsUpAndGoesAway() {
    try (var bar = ProgressBar.on(shell(true), "enqueuing", 200)) {
      await()
          .atMost(ofSeconds(20))
          .until(() -> {
            bar.reach(100, "7 tasks");
            return !err.toString().isEmpty();
          });
      assertThat(err.toString()).endsWith("enqueuing [###############...............] 50% 7 tasks");
    }
    assertThat(err.toString()).endsWith("\r\033[K");
  }

  @Test
  void bar_isNotDrawnWhereNobodyWatches() {
    try (var bar = ProgressBar.on(shell(false), "enqueuing", 200)) {
      bar.reach(100, "7 tasks");
    }
    assertThat(err.toString()).isEmpty();
  }
}
