package dev.dibs.chaos;

import java.util.ArrayList;
import java.util.List;

/** What the harness did to the fleet, and when. Thread-safe. */
final class Journal {
  /** A thing that was done; {@code at} in nanoseconds of the monotonic clock. */
  record Entry(long at, Fault fault, String detail) {}

  /** A process that was killed. */
  record Kill(long at, String process) {}

  private final List<Entry> entries = new ArrayList<>();
  private final List<Kill> kills = new ArrayList<>();
  private final List<Long> serverBack = new ArrayList<>();
  private final List<Violation> seen = new ArrayList<>();

  synchronized void did(Fault fault, String detail) {
    entries.add(new Entry(System.nanoTime(), fault, detail));
  }

  synchronized void killed(String process) {
    kills.add(new Kill(System.nanoTime(), process));
  }

  /** The server takes connections again. */
  synchronized void serverIsBack() {
    serverBack.add(System.nanoTime());
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

  synchronized List<Long> serverBack() {
    return List.copyOf(serverBack);
  }

  synchronized List<Violation> seen() {
    return List.copyOf(seen);
  }
}
