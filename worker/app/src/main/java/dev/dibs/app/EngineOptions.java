package dev.dibs.app;

import dev.dibs.sql.Schema;
import dev.dibs.worker.WorkerSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say how a worker works. */
final class EngineOptions {
  private static final int MOST_TRANSACTIONS_BY_DEFAULT = 20;

  @Option(
      names = "--queue",
      paramLabel = "NAME=N",
      split = ",",
      defaultValue = "default=10",
      description = "Serve this queue and run N of its tasks at once. Repeatable.")
  List<QueueShare> queues = new ArrayList<>();

  @Option(
      names = "--poll-interval",
      paramLabel = "DURATION",
      defaultValue = "2500ms",
      description = "Look for tasks at least this often; bells wake it sooner.")
  Duration pollInterval = WorkerSettings.DEFAULT.pollInterval();

  @Option(
      names = "--lease",
      paramLabel = "DURATION",
      defaultValue = "15s",
      description = "After so long without a beat others take this process's tasks.")
  Duration lease = WorkerSettings.DEFAULT.lease();

  @Option(
      names = "--drain-timeout",
      paramLabel = "DURATION",
      defaultValue = "20s",
      description = "How long handlers may go on at the end, before they are interrupted.")
  Duration drainTimeout = WorkerSettings.DEFAULT.drainTimeout();

  @Option(
      names = "--transactions",
      paramLabel = "N",
      description =
          "Connections for the transactions of handlers. Without it: as many as tasks run at once, 20 at most.")
  @Nullable Integer transactions;

  /** The queues, each once. */
  List<QueueShare> queues() {
    Set<String> seen = new HashSet<>();
    for (QueueShare share : queues) {
      if (!seen.add(share.queue()))
        throw new UsageException("--queue " + share + " names the queue a second time");
    }
    return List.copyOf(queues);
  }

  Set<String> queueNames() {
    return queues().stream().map(QueueShare::queue).collect(Collectors.toUnmodifiableSet());
  }

  int concurrency() {
    return queues().stream().mapToInt(QueueShare::concurrency).sum();
  }

  int transactions() {
    if (transactions == null) return Math.min(MOST_TRANSACTIONS_BY_DEFAULT, concurrency());
    if (transactions >= 1) return transactions;
    throw new UsageException("--transactions must be at least 1, was " + transactions);
  }

  WorkerSettings settings(Schema schema) {
    try {
      return WorkerSettings.DEFAULT
          .withSchema(schema)
          .withPollInterval(pollInterval)
          .withLease(lease)
          .withDrainTimeout(drainTimeout);
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }
}
