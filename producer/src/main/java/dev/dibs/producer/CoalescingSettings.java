package dev.dibs.producer;

import java.time.Duration;

/**
 * How a coalescing producer works. Immutable.
 *
 * @param producer what holds for every producer
 * @param largestBatch at most so many tasks a commit; 1 to 10,000
 * @param commitsInFlight threads that commit, each with one connection while it does; 1 to 64
 * @param capacity tasks that may wait for their commit to begin; positive
 * @param patience how long {@code enqueue} waits for a place when so many wait already, and how
 *     long {@code close} waits for their commits; at most a day
 */
public record CoalescingSettings(
    ProducerSettings producer,
    int largestBatch,
    int commitsInFlight,
    int capacity,
    Duration patience) {
  private static final int HARD_LARGEST_BATCH = 10_000;
  private static final int HARD_COMMITS_IN_FLIGHT = 64;
  private static final Duration HARD_PATIENCE = Duration.ofDays(1);

  /** Batches up to 1,000, two commits in flight, 10,000 places, a patience of 30 seconds. */
  public static final CoalescingSettings DEFAULT =
      new CoalescingSettings(ProducerSettings.DEFAULT, 1_000, 2, 10_000, Duration.ofSeconds(30));

  public CoalescingSettings {
    requireBetween("largestBatch", largestBatch, HARD_LARGEST_BATCH);
    requireBetween("commitsInFlight", commitsInFlight, HARD_COMMITS_IN_FLIGHT);
    requireBetween("capacity", capacity, Integer.MAX_VALUE);
    if (patience.isNegative() || patience.compareTo(HARD_PATIENCE) > 0)
      throw new IllegalArgumentException(
          "patience must be between 0 and %s, was %s".formatted(HARD_PATIENCE, patience));
  }

  private static void requireBetween(String what, int value, int max) {
    if (value < 1 || value > max)
      throw new IllegalArgumentException(
          "%s must be between 1 and %d, was %d".formatted(what, max, value));
  }

  public CoalescingSettings withProducer(ProducerSettings producer) {
    return new CoalescingSettings(producer, largestBatch, commitsInFlight, capacity, patience);
  }

  public CoalescingSettings withLargestBatch(int largestBatch) {
    return new CoalescingSettings(producer, largestBatch, commitsInFlight, capacity, patience);
  }

  public CoalescingSettings withCommitsInFlight(int commitsInFlight) {
    return new CoalescingSettings(producer, largestBatch, commitsInFlight, capacity, patience);
  }

  public CoalescingSettings withCapacity(int capacity) {
    return new CoalescingSettings(producer, largestBatch, commitsInFlight, capacity, patience);
  }

  public CoalescingSettings withPatience(Duration patience) {
    return new CoalescingSettings(producer, largestBatch, commitsInFlight, capacity, patience);
  }
}
