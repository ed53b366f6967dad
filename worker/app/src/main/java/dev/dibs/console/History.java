package dev.dibs.console;

import dev.dibs.sql.SampleQueues.Counters;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The measurements of the last quarter of an hour, for charts. The lock guards all. Thread-safe.
 */
final class History {
  static final Duration WINDOW = Duration.ofMinutes(15);
  private static final Duration LONGEST_GAP = Duration.ofSeconds(30);

  /**
   * One measurement.
   *
   * @param in enqueued a second; NaN where the measurement before is too long ago
   * @param out ended a second, likewise
   * @param oldest seconds
   * @param waiting by queue
   */
  record Point(
      Instant at, double in, double out, double oldest, double busy, Map<String, Double> waiting) {
    double waitingInAll() {
      return waiting.values().stream().mapToDouble(Double::doubleValue).sum();
    }
  }

  private final Deque<Point> points = new ArrayDeque<>();
  private Instant last = Instant.EPOCH;
  private Counters counters = new Counters(0, 0);

  synchronized void add(Sample sample) {
    Counters now = sample.whole().counters();
    Duration past = Duration.between(last, sample.at());
    boolean follows =
        !past.isZero()
            && past.compareTo(LONGEST_GAP) < 0
            && now.inserted() >= counters.inserted()
            && now.finished() >= counters.finished();
    double seconds = past.toMillis() / 1e3;
    Map<String, Double> waiting = new HashMap<>();
    for (Sample.Queue queue : sample.queues()) waiting.put(queue.name(), (double) queue.waiting());
    points.add(
        new Point(
            sample.at(),
            follows ? (now.inserted() - counters.inserted()) / seconds : Double.NaN,
            follows ? (now.finished() - counters.finished()) / seconds : Double.NaN,
            sample.oldest().orElse(Duration.ZERO).toMillis() / 1e3,
            sample.running(),
            Map.copyOf(waiting)));
    points.removeIf(point -> point.at().isBefore(sample.at().minus(WINDOW)));
    last = sample.at();
    counters = now;
  }

  synchronized List<Point> points() {
    return new ArrayList<>(points);
  }
}
