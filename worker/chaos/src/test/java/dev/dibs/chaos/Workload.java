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
    SHORT {
      @Override
      int draw(RandomGenerator random) {
        return random.nextInt(20);
      }
    },
    /** One of twelve up to 2.6 s. */
    MIXED {
      @Override
      int draw(RandomGenerator random) {
        return random.nextInt(12) == 0 ? random.nextInt(2_600) : random.nextInt(40);
      }
    },
    /** One of four 1.2 s. */
    LONG {
      @Override
      int draw(RandomGenerator random) {
        return random.nextInt(4) == 0 ? 1_200 : random.nextInt(20);
      }
    };

    /** In milliseconds. */
    abstract int draw(RandomGenerator random);
  }

  private static final int MANY_LOSSES = 1_000;

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
        random.nextInt(10));
  }

  /** For scripted scenarios: tasks do as they are told, nothing happens by chance. */
  static Workload scripted(Duration lease) {
    return new Workload(lease, 4, MANY_LOSSES, Lengths.SHORT, 1, Duration.ofMillis(30), 50, 0, 0);
  }
}
