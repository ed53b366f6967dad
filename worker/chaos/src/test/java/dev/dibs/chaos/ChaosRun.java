package dev.dibs.chaos;

import dev.dibs.chaos.Violation.Promise;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Random;

/**
 * One round: a stage, faults for a while, then healing, draining and judging. All that is drawn is
 * drawn from the seed.
 *
 * @param ahead put before the class path of the processes
 */
record ChaosRun(String name, long seed, Duration rage, Cluster.Standby standby, List<Path> ahead) {
  private static final Duration DRAIN = Duration.ofMinutes(2);

  /** What a round came to. */
  record Verdict(History history, List<Violation> violations) {}

  ChaosRun {
    ahead = List.copyOf(ahead);
  }

  Verdict play() throws IOException, SQLException {
    var random = new Random(seed);
    Workload workload = Workload.draw(random);
    return play(workload, random);
  }

  Verdict play(Workload workload, Random random) throws IOException, SQLException {
    var setting = new Stage.Setting(name, seed, workload, standby, ahead);
    try (Stage stage = Stage.set(setting, Workload.WORKERS, Workload.PRODUCERS)) {
      rageAndHeal(stage, random);
      History history = stage.history();
      List<Violation> violations = Checker.check(history);
      if (!violations.isEmpty())
        Files.writeString(
            stage.directory().resolve("violations.txt"),
            "seed " + seed + "\n" + Checker.explain(history, violations));
      return new Verdict(history, violations);
    }
  }

  private void rageAndHeal(Stage stage, Random random) throws IOException, SQLException {
    try (var conservation = new Conservation(stage);
        var faults = new Faults(stage, random)) {
      faults.rage(rage);
      faults.heal();
      stage.stopInGoodOrder(stage.producers());
      if (stage.drains(DRAIN)) stage.stopInGoodOrder(stage.workers());
      if (conservation.stop() == 0)
        stage
            .journal()
            .saw(
                new Violation(
                    Promise.CONSERVATION, Event.NO_TASK, "the database never answered the judge"));
    }
  }
}
