package dev.dibs.chaos;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What the harness did to the fleet, and when. Thread-safe. */
final class Journal {
  /** A thing that was done; {@code at} in nanoseconds of the monotonic clock. */
  record Entry(long at, Fault fault, String detail) {}

  /** A time in which the server was lost. */
  record Outage(long from, long to) {
    /** Claims are committed lazily: so long before they may not have been written. */
    private static final Duration LAZY = Duration.ofSeconds(2);

    /** So long a stopped process or a network that swallows may hold back an answer. */
    private static final Duration LATE = Duration.ofSeconds(15);

    /** Whether a run that started then may be of a claim that the server has forgotten. */
    boolean mayHaveForgottenTheClaimOf(long start) {
      return from - LAZY.toNanos() <= start && start <= to + LATE.toNanos();
    }
  }

  /** A process that was killed. */
  record Kill(long at, String process) {}

  private final List<Entry> entries = new ArrayList<>();
  private final List<Kill> kills = new ArrayList<>();
  private final List<Outage> outages = new ArrayList<>();
  private final List<Violation> seen = new ArrayList<>();

  synchronized void did(Fault fault, String detail) {
    entries.add(new Entry(System.nanoTime(), fault, detail));
  }

  synchronized void killed(String process) {
    kills.add(new Kill(System.nanoTime(), process));
  }

  /** The server was lost at {@code from}, and takes connections again. */
  synchronized void serverIsBack(long from) {
    outages.add(new Outage(from, System.nanoTime()));
  }

  /** Something was wrong while all was running. */
  synchronized void saw(Violation violation) {
    seen.add(violation);
  }

  synchronized List<Entry> entries() {
    return List.copyOf(entries);
  }

  synchronized List<Kill> kills() {
    return List.copyOf(kills);
  }

  synchronized List<Outage> outages() {
    return List.copyOf(outages);
  }

  synchronized List<Violation> seen() {
    return List.copyOf(seen);
  }
}
