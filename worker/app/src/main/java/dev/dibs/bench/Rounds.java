package dev.dibs.bench;

import java.util.Arrays;
import java.util.List;

/** Several rounds of one measurement; the median speaks for them. */
final class Rounds {
  /** One round: how many tasks in how many seconds, and what they cost. */
  record Round(long tasks, double seconds, double walBytes, double commits) {
    double perSecond() {
      return tasks / seconds;
    }
  }

  /** Something that takes one round. */
  @FunctionalInterface
  interface Take {
    Round run() throws Exception;
  }

  private final List<Round> rounds;

  private Rounds(List<Round> rounds) {
    this.rounds = List.copyOf(rounds);
  }

  static Rounds of(int count, Take take) throws Exception {
    Round[] rounds = new Round[count];
    for (int i = 0; i < count; i++) rounds[i] = take.run();
    Arrays.sort(rounds, (a, b) -> Double.compare(a.perSecond(), b.perSecond()));
    return new Rounds(List.of(rounds));
  }

  Round median() {
    return rounds.get(rounds.size() / 2);
  }

  double spread() {
    return (rounds.getLast().perSecond() - rounds.getFirst().perSecond()) / median().perSecond();
  }

  Measurement measured(Measurement.Setup setup, double limitPerSecond) {
    Round median = median();
    return new Measurement(
        setup,
        new Measurement.Pace(
            median.seconds(), median.perSecond(), spread(), Double.NaN, Double.NaN),
        new Measurement.Cost(median.walBytes(), median.commits()),
        limitPerSecond);
  }

  /** Runs {@code work} on {@code tasks} tasks and accounts for time, log and commits. */
  static Round timed(BenchDatabase db, long tasks, Work work) throws Exception {
    double wal = db.wal();
    double commits = db.commits();
    long startedAt = System.nanoTime();
    work.run();
    double seconds = (double) (System.nanoTime() - startedAt) / 1e9;
    return new Round(tasks, seconds, (db.wal() - wal) / tasks, (db.commits() - commits) / tasks);
  }

  /** What is timed. */
  @FunctionalInterface
  interface Work {
    void run() throws Exception;
  }
}
