package dev.dibs.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ScenarioTest {
  @ParameterizedTest
  @EnumSource(Scenario.class)
  void scenario_keepsEveryPromise(Scenario scenario) throws Exception {
    ChaosRun.Verdict verdict = scenario.play("scenario-" + scenario, List.of());
    assertThat(verdict.violations())
        .as(() -> Checker.explain(verdict.history(), verdict.violations()))
        .isEmpty();
  }
}
