package dev.dibs.console;

import dev.dibs.sql.SampleQueues;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Queues and how they came to be as they are, for templates. */
record QueueTable(Optional<Sample> sample, List<Sample.Queue> queues, List<History.Point> history) {

  /** Whether there are queues that the sample left out. */
  boolean isCut() {
    return sample.isPresent() && !sample.get().isWhole();
  }

  /** Whether samples have the queue, too. */
  boolean isFollowed(Sample.Queue queue) {
    return !isCut() || sample.flatMap(seen -> seen.queue(queue.name())).isPresent();
  }

  static Amount waiting(Sample.Queue queue) {
    return new Amount(
        queue.isExact() ? queue.waiting() : queue.waiting() - 1,
        queue.isExact() ? Amount.Kind.EXACT : Amount.Kind.AT_LEAST);
  }

  /** By priority, from urgent to low. */
  static String lanes(Sample.Queue queue) {
    StringBuilder text = new StringBuilder();
    for (SampleQueues.Lane lane : queue.lanes())
      text.append(text.isEmpty() ? "" : " / ")
          .append(Amount.upTo(lane.waiting(), SampleQueues.MOST_OF_LANE).text());
    return text.toString();
  }

  static Amount dead(Sample.Queue queue) {
    return Amount.upTo(queue.counts().dead(), SampleQueues.MOST);
  }

  static String rate(Sample.Queue queue) {
    return Show.rate(queue.perSecond())
        + (queue.counts().ended() < SampleQueues.MOST ? "" : " or more");
  }

  /** What waited in a queue over the last quarter of an hour. */
  Chart chart(Sample.Queue queue) {
    Instant end = sample.map(Sample::at).orElse(Instant.EPOCH);
    Chart.Line waiting =
        Chart.line(
            "waiting", history, point -> point.waiting().getOrDefault(queue.name(), Double.NaN));
    return new Chart("Waiting", end, List.of(waiting), value -> Show.count(Math.round(value)));
  }
}
