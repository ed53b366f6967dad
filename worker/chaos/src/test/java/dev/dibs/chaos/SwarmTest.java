package dev.dibs.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.chaos.Cluster.Standby;
import java.time.Duration;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Rounds of random faults: short ones with every build, as many as asked for on demand. */
class SwarmTest {
  private static final Duration SHORT = Duration.ofSeconds(10);
  private static final Duration LONG = Duration.ofSeconds(40);

  private static final List<Standby> STANDBYS =
      List.of(Standby.NONE, Standby.LAGS, Standby.APPLIES);

  private final Figures figures = new Figures();

  @Test
  void swarm_keepsEveryPromise() throws Exception {
    play("short-1", 1, SHORT, Standby.LAGS);
    long seed = seed();
    play("short-" + seed, seed, SHORT, standby(seed));
    System.out.println(figures);
  }

  /** For {@code -Pchaos}; see README. */
  @Test
  @Tag("chaos")
  void longSwarm_keepsEveryPromise() throws Exception {
    var time = Duration.ofMinutes(Long.getLong("dibs.chaos.minutes", 20));
    long start = System.nanoTime();
    long seed = seed();
    for (int round = 0; System.nanoTime() - start < time.toNanos(); round++) {
      play("round-" + round, seed + round, LONG, standby(round));
    }
    System.out.println(figures);
  }

  /** Every third round without a standby, with one that lags, with one that applies first. */
  private static Standby standby(long number) {
    return STANDBYS.get((int) (number % STANDBYS.size()));
  }

  private static long seed() {
    String given = System.getProperty("dibs.chaos.seed", "");
    return given.isEmpty()
        ? RandomGenerator.getDefault().nextLong(1_000_000)
        : Long.parseLong(given);
  }

  private void play(String name, long seed, Duration rage, Standby standby) throws Exception {
    System.out.printf("chaos: seed %d, standby %s%n", seed, standby);
    ChaosRun.Verdict verdict = new ChaosRun(name, seed, rage, standby, List.of()).play();
    figures.add(verdict.history(), verdict.violations().size());
    if (!verdict.violations().isEmpty()) System.out.println(figures);
    assertThat(verdict.violations())
        .as(() ->
            "seed %d, standby %s\n%s"
                .formatted(seed, standby, Checker.explain(verdict.history(), verdict.violations())))
        .isEmpty();
  }
}
