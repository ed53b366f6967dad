package dev.dibs.bench;

import dev.dibs.bench.Measurement.Cost;
import dev.dibs.bench.Measurement.Pace;
import dev.dibs.bench.Measurement.Setup;
import dev.dibs.bench.Measurement.Times;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Several rounds of one measurement; the median speaks for them. */
final class Rounds {
  /** One round: how many tasks in how many seconds, and what else was seen of them. */
  record Round(long tasks, double seconds, Times times, Cost cost, Map<String, Double> also) {
    double perSecond() {
      return tasks / seconds;
    }

    Round with(Times others) {
      return new Round(tasks, seconds, others, cost, also);
    }

    /** The same round with one more figure. */
    Round also(String name, double value) {
      Map<String, Double> more = new LinkedHashMap<>(also);
      more.put(name, value);
      return new Round(tasks, seconds, times, cost, more);
    }
  }

  /** Something that takes one round, and how a watcher is told. */
  record Take(String what, Work<Round> work) {}

  /** What is done. */
  @FunctionalInterface
  interface Work<R> {
    R run() throws Exception;
  }

  private final List<Round> rounds;

  private Rounds(List<Round> rounds) {
    this.rounds = rounds.stream().sorted(Comparator.comparingDouble(Round::perSecond)).toList();
  }

  /**
   * Takes the rounds of all in turn, so that a machine that slows down meanwhile slows down each of
   * them. Answers the rounds in the order of the takes.
   */
  static List<Rounds> inTurn(int count, Consumer<String> doing, List<Take> takes) throws Exception {
    List<List<Round>> taken =
        takes.stream().map(take -> (List<Round>) new ArrayList<Round>()).toList();
    for (int round = 0; round < count; round++) {
      for (int i = 0; i < takes.size(); i++) {
        doing.accept(takes.get(i).what());
        taken.get(i).add(takes.get(i).work().run());
      }
    }
    return taken.stream().map(Rounds::new).toList();
  }

  /** Rounds that were taken already. */
  static Rounds of(Round... rounds) {
    return new Rounds(Stream.of(rounds).toList());
  }

  Round median() {
    return rounds.get(rounds.size() / 2);
  }

  double perSecond() {
    return median().perSecond();
  }

  /** What the median says, beside the limit. */
  Measurement measured(Setup setup, double limitPerSecond) {
    Round median = median();
    var pace =
        new Pace(
            median.seconds(),
            median.perSecond(),
            rounds.getFirst().perSecond(),
            rounds.getLast().perSecond());
    return new Measurement(
        setup, pace, median.times(), median.cost(), limitPerSecond, median.also());
  }

  /** Does {@code work} on {@code tasks} tasks and accounts for time, log and commits. */
  static Round timed(BenchDatabase db, long tasks, Work<?> work) throws Exception {
    double wal = db.wal();
    double writes = db.writes();
    long startedAt = System.nanoTime();
    work.run();
    double seconds = (double) (System.nanoTime() - startedAt) / 1e9;
    var cost = new Cost((db.wal() - wal) / tasks, (db.writes() - writes) / tasks);
    return new Round(tasks, seconds, Times.UNKNOWN, cost, Map.of());
  }
}
