package dev.dibs.chaos;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Scripted stories, for what chance would seldom bring about. */
enum Scenario {
  BUSY(3, 0, Duration.ofSeconds(3)),
  ZOMBIE(1, 0, Duration.ofSeconds(2)),
  LOST_SUFFIX(1, 0, Duration.ofSeconds(2)),
  TWO_RESCUERS(3, 0, Duration.ofSeconds(2)),
  LOCKED_ROW(2, 0, Duration.ofSeconds(2)),
  LATE_BEAT(2, 0, Duration.ofSeconds(12)),
  BEAT_WAITS(1, 0, Duration.ofSeconds(3)),
  CUT(1, 0, Duration.ofSeconds(4)),
  NO_BELL(1, 0, Duration.ofSeconds(3)),
  PRODUCERS(1, 2, Duration.ofSeconds(4));

  private static final Duration DRAIN = Duration.ofSeconds(45);

  private final int workers;
  private final int producers;
  private final Duration lease;

  Scenario(int workers, int producers, Duration lease) {
    this.workers = workers;
    this.producers = producers;
    this.lease = lease;
  }

  /** Plays it, with these directories ahead of the processes' class path, and judges. */
  ChaosRun.Verdict play(String name, List<Path> ahead) throws Exception {
    var standby = this == LOST_SUFFIX ? Cluster.Standby.LAGS : Cluster.Standby.NONE;
    var setting = new Stage.Setting(name, 1, Workload.scripted(lease), standby, ahead);
    try (Stage stage = Stage.set(setting, workers, producers)) {
      act(new Script(stage));
      stage.drains(DRAIN);
      History history = stage.history();
      return new ChaosRun.Verdict(history, Checker.check(history));
    }
  }

  private void act(Script script) throws Exception {
    switch (this) {
      case BUSY -> Plays.busy(script);
      case ZOMBIE -> Plays.zombie(script);
      case LOST_SUFFIX -> Plays.lostSuffix(script);
      case TWO_RESCUERS -> Plays.twoRescuers(script);
      case LOCKED_ROW -> Plays.lockedRow(script);
      case LATE_BEAT -> Plays.lateBeat(script);
      case BEAT_WAITS -> Plays.beatWaits(script);
      case CUT -> Plays.cut(script);
      case NO_BELL -> Plays.noBell(script);
      case PRODUCERS -> Plays.producers(script);
    }
  }
}
