package dev.dibs.chaos;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * What a chaos run's processes do, apart from their faults. Immutable.
 *
 * @param concurrency handlers at once in each worker
 * @param maxLosses after so many lost workers a task is dead
 * @param largestBatch the most tasks of one enqueue
 * @param pace the longest a producer pauses between two enqueues
 * @param percentInside tasks whose effect is in the database
 */
record Workload(
    Duration lease,
    int concurrency,
    int maxLosses,
    Lengths lengths,
    int largestBatch,
    Duration pace,
    int percentInside,
    int percentRetried,
    int percentSnoozed) {
  /** How long tasks take. */
  enum Lengths {
    /** Up to 20 ms. */
    SHORT(10) {
      @Override
      int draw(RandomGenerator random) {
        return random.nextInt(20);
      }
    },
    /** One of twelve up to 2.6 s. */
    MIXED(127) {
      @Override
      int draw(RandomGenerator random) {
        return random.nextInt(12) == 0 ? random.nextInt(2_600) : random.nextInt(40);
      }
    },
    /** One of four 1.2 s. */
    LONG(308) {
      @Override
      int draw(RandomGenerator random) {
        return random.nextInt(4) == 0 ? 1_200 : random.nextInt(20);
      }
    };

    private final int mean;

    Lengths(int mean) {
      this.mean = mean;
    }

    /** In milliseconds. */
    abstract int draw(RandomGenerator random);
  }

  private static final int MANY_LOSSES = 1_000;
  static final int WORKERS = 3;
  static final int PRODUCERS = 2;

  Workload {
    if (concurrency < 1)
      throw new IllegalArgumentException("concurrency must be >= 1, was " + concurrency);
    if (largestBatch < 1)
      throw new IllegalArgumentException("largestBatch must be >= 1, was " + largestBatch);
  }

  static Workload draw(RandomGenerator random) {
    Lengths lengths = Lengths.values()[random.nextInt(Lengths.values().length)];
    int pace = lengths == Lengths.SHORT ? 60 : 250;
    return new Workload(
            Duration.ofMillis(2_000 + 500L * random.nextInt(5)),
            4 + random.nextInt(13),
            random.nextInt(4) == 0 ? 6 : MANY_LOSSES,
            lengths,
            random.nextInt(3) == 0 ? 1 : 1 + random.nextInt(16),
            Duration.ofMillis(20 + random.nextInt(pace)),
            25 + random.nextInt(50),
            random.nextInt(15),
            random.nextInt(10))
        .bearable();
  }

  /**
   * The same with pauses long enough that workers without faults keep up: a backlog that outlasts
   * the drain says nothing about who is to drain it.
   */
  private Workload bearable() {
    double tasksAtOnce = (1 + largestBatch) / 2.0;
    double slots = WORKERS * concurrency;
    long least = Math.round(2 * PRODUCERS * tasksAtOnce * lengths.mean / slots);
    return new Workload(
        lease,
        concurrency,
        maxLosses,
        lengths,
        largestBatch,
        Duration.ofMillis(Math.max(pace.toMillis(), least)),
        percentInside,
        percentRetried,
        percentSnoozed);
  }

  /** For scripted scenarios: tasks do as they are told, nothing happens by chance. */
  static Workload scripted(Duration lease) {
    return new Workload(lease, 4, MANY_LOSSES, Lengths.SHORT, 1, Duration.ofMillis(30), 50, 0, 0);
  }
}
