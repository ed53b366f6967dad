package dev.dibs.bench;

import java.util.Arrays;
import java.util.Collection;

/** How long single things took. */
final class Percentiles {
  private Percentiles() {}

  static Measurement.Times of(Collection<long[]> nanos) {
    return of(nanos.stream().flatMapToLong(Arrays::stream).toArray());
  }

  static Measurement.Times of(long... nanos) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    return new Measurement.Times(millis(sorted, 50), millis(sorted, 99));
  }

  /** The smallest of {@code sorted} that {@code percent} percent of them do not exceed. */
  private static double millis(long[] sorted, int percent) {
    int rank = (int) Math.ceil((double) sorted.length * percent / 100);
    return (double) sorted[Math.max(rank, 1) - 1] / 1e6;
  }
}
