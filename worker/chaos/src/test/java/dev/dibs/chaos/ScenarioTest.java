package dev.dibs.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The stories as they go with the shipped code: the fence's with every build, all on demand. */
class ScenarioTest {
  @ParameterizedTest
  @EnumSource(names = {"ZOMBIE", "LOST_SUFFIX"})
  void fence_holdsInEveryScenario(Scenario scenario) throws Exception {
    play(scenario);
  }

  /** For {@code -Pmutants}: what kills mutants must let the shipped code live. */
  @ParameterizedTest
  @EnumSource(Scenario.class)
  @Tag("mutants")
  void shippedCode_survivesEveryScenario(Scenario scenario) throws Exception {
    play(scenario);
  }

  private static void play(Scenario scenario) throws Exception {
    ChaosRun.Verdict verdict = scenario.play("scenario-" + scenario, List.of());
    assertThat(verdict.violations())
        .as(() -> Checker.explain(verdict.history(), verdict.violations()))
        .isEmpty();
  }
}
