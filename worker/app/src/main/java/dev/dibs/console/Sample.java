package dev.dibs.console;

import dev.dibs.Pause;
import dev.dibs.QueueRow;
import dev.dibs.WorkerRow;
import dev.dibs.sql.SampleQueues;
import dev.dibs.sql.SampleQueues.Lane;
import dev.dibs.sql.SampleQueues.Whole;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * What the sampler saw at one moment; every page and every tab shows the same. Immutable.
 *
 * @param at by our clock
 * @param queues that were looked at, by name
 * @param known how many there are
 */
record Sample(Instant at, List<Queue> queues, int known, List<WorkerRow> workers, Whole whole) {
  /** A queue is behind when its first task has waited so long. */
  static final Duration OLDEST_LIMIT = Duration.ofMinutes(5);

  /**
   * A queue.
   *
   * @param lanes of the priorities 1 to 4
   */
  record Queue(QueueRow row, List<Lane> lanes, int running, Counts counts) {
    /**
     * What ended lately, and the slots of the workers that serve it, which may serve others too.
     */
    record Counts(int ended, int dead, int slots) {}

    String name() {
      return row.name();
    }

    Optional<Pause> pause() {
      return row.pause();
    }

    int waiting() {
      return lanes.stream().mapToInt(Lane::waiting).sum();
    }

    /** Whether {@link #waiting} is the whole truth. */
    boolean isExact() {
      return lanes.stream().allMatch(lane -> lane.waiting() < SampleQueues.MOST_OF_LANE);
    }

    Optional<Duration> oldest() {
      return lanes.stream().flatMap(lane -> lane.oldest().stream()).max(Comparator.naturalOrder());
    }

    boolean isBehind() {
      return oldest().filter(age -> age.compareTo(OLDEST_LIMIT) > 0).isPresent();
    }

    boolean isStarved() {
      return row.workers() == 0 && waiting() > 0;
    }

    boolean isFull() {
      return counts.slots() > 0 && running >= counts.slots() && waiting() > 0;
    }

    double perSecond() {
      return counts.ended() / (double) SampleQueues.RECENT.toSeconds();
    }

    /** In a word or two. */
    String state() {
      if (pause().isPresent()) return "paused by " + pause().get().by();
      if (row.workers() == 0) return waiting() > 0 ? "no worker" : "no worker, empty";
      return isFull() ? "active, full" : "active";
    }

    boolean needsAttention() {
      return isBehind() || isStarved();
    }
  }

  Sample {
    queues = List.copyOf(queues);
    workers = List.copyOf(workers);
  }

  /** Whether all queues were looked at. */
  boolean isWhole() {
    return queues.size() >= known;
  }

  /** How many were looked at, such as {@code 200 of 1,234 queues}. */
  String seen() {
    return isWhole()
        ? Show.count(known) + " queues"
        : "%s of %s queues".formatted(Show.count(queues.size()), Show.full(known));
  }

  Optional<Queue> queue(String name) {
    return queues.stream().filter(queue -> queue.name().equals(name)).findFirst();
  }

  /** The one that is worst off first. */
  List<Queue> worstFirst() {
    return queues.stream()
        .sorted(
            Comparator.comparing((Queue queue) -> !queue.needsAttention())
                .thenComparing(
                    queue -> queue.oldest().orElse(Duration.ZERO), Comparator.reverseOrder())
                .thenComparing(Queue::name))
        .toList();
  }

  /** The host and process of a worker, if it is known by now. */
  String workerName(UUID id) {
    return workers.stream()
        .filter(worker -> worker.id().equals(id))
        .findFirst()
        .map(Sample::name)
        .orElse(shortId(id));
  }

  static String name(WorkerRow worker) {
    return worker.home().host() + ":" + worker.home().pid();
  }

  /** The end of an id, which is what differs. */
  static String shortId(UUID id) {
    String text = id.toString();
    return text.substring(text.length() - 8);
  }

  int running() {
    return workers.stream().mapToInt(worker -> worker.state().running()).sum();
  }

  /** Of workers that live. */
  int slots() {
    return workers.stream()
        .filter(worker -> worker.state().status().equals("LIVE"))
        .mapToInt(WorkerRow::concurrency)
        .sum();
  }

  /** DEAD within a day. */
  Amount dead() {
    int dead = queues.stream().mapToInt(queue -> queue.counts().dead()).sum();
    Amount counted = Amount.upTo(dead, SampleQueues.MOST);
    return isWhole() ? counted : new Amount(counted.number(), Amount.Kind.AT_LEAST);
  }

  Optional<Duration> oldest() {
    return queues.stream().flatMap(queue -> queue.oldest().stream()).max(Comparator.naturalOrder());
  }

  /** Ready tasks: counted where they are few, else what the planner believes. */
  Amount waiting() {
    long counted = queues.stream().mapToLong(Queue::waiting).sum();
    boolean exact = queues.stream().allMatch(Queue::isExact);
    var seen = new Amount(exact ? counted : counted - 1, kind(exact && isWhole()));
    return orEstimate(seen, "PENDING");
  }

  private static Amount.Kind kind(boolean exact) {
    return exact ? Amount.Kind.EXACT : Amount.Kind.AT_LEAST;
  }

  Amount scheduled() {
    return orEstimate(Amount.upTo(whole.scheduled(), SampleQueues.MOST), "SCHEDULED");
  }

  Amount blocked() {
    return orEstimate(Amount.upTo(whole.blocked(), SampleQueues.MOST), "BLOCKED");
  }

  private Amount orEstimate(Amount counted, String index) {
    long estimate = whole.estimates().getOrDefault(index, -1L);
    return counted.kind() == Amount.Kind.EXACT || estimate <= counted.number()
        ? counted
        : new Amount(estimate, Amount.Kind.ESTIMATE);
  }
}
