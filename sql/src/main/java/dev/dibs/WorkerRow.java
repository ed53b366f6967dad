package dev.dibs;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A worker process. Immutable.
 *
 * @param concurrency how many tasks it runs at once
 * @param drain who wants it to take no more tasks; its status says whether it has heard
 */
public record WorkerRow(
    UUID id,
    Home home,
    List<String> queues,
    List<String> kinds,
    int concurrency,
    State state,
    Optional<Pause> drain) {
  public WorkerRow {
    queues = List.copyOf(queues);
    kinds = List.copyOf(kinds);
  }

  /** Where it runs, and which build. */
  public record Home(String host, long pid, String version) {}

  /**
   * How it does.
   *
   * @param status LIVE, DRAINING, DEAD, or SILENT when its lease has run out
   * @param leaseLeft negative: the lease ran out so long ago
   * @param running how many tasks it holds
   */
  public record State(String status, Instant started, Duration leaseLeft, int running) {}
}
