package dev.dibs.console;

import dev.dibs.BulkRow;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * How fast bulks are, of what was seen of them lately, whichever process drives them. The lock
 * guards all. Thread-safe.
 */
final class BulkRates {
  private static final Duration WINDOW = Duration.ofSeconds(20);
  private static final Duration LONGEST_GAP = Duration.ofSeconds(40);
  private static final int MOST = 50;

  private record Mark(Instant at, long seen) {}

  private final Map<UUID, Deque<Mark>> marks = new LinkedHashMap<>();

  synchronized void saw(BulkRow row) {
    var now = new Mark(row.times().stepped(), row.progress().seen());
    if (!marks.containsKey(row.id()) && marks.size() >= MOST) marks.remove(oldest());
    Deque<Mark> its = marks.computeIfAbsent(row.id(), id -> new ArrayDeque<>());
    if (!its.isEmpty() && !now.at().isAfter(its.getLast().at())) return;
    if (!its.isEmpty() && its.getLast().at().plus(LONGEST_GAP).isBefore(now.at())) its.clear();
    its.add(now);
    while (its.size() > 2 && its.getFirst().at().plus(WINDOW).isBefore(now.at())) its.removeFirst();
  }

  private UUID oldest() {
    return marks.keySet().iterator().next();
  }

  /** Tasks a second; of a bulk that was not watched, since it began. */
  synchronized Optional<Double> perSecond(BulkRow row) {
    saw(row);
    Deque<Mark> its = marks.getOrDefault(row.id(), new ArrayDeque<>());
    Mark last = its.getLast();
    Mark first = its.size() > 1 ? its.getFirst() : new Mark(row.times().started(), 0);
    double seconds = Duration.between(first.at(), last.at()).toMillis() / 1e3;
    return seconds > 0 ? Optional.of((last.seen() - first.seen()) / seconds) : Optional.empty();
  }
}
