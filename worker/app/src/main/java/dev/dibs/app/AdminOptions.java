package dev.dibs.app;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say where a worker can be watched. */
final class AdminOptions {
  private static final int LAST_PORT = 65_535;
  private static final Duration SHORTEST = Duration.ofMillis(100);
  private static final Duration LONGEST = Duration.ofHours(1);

  @Option(
      names = "--admin-port",
      paramLabel = "PORT",
      description =
          "Serve /metrics and /health/live, /ready and /started here; 0: any free port. Without it: off.")
  @Nullable Integer port;

  @Option(
      names = "--admin-bind",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description = "Who can reach the admin port; 0.0.0.0: everybody.")
  String bind = "127.0.0.1";

  @Option(
      names = "--admin-interval",
      paramLabel = "DURATION",
      defaultValue = "10s",
      description = "Count queues and look for old snapshots this often, for /metrics.")
  Duration interval = Duration.ofSeconds(10);

  @Option(
      names = "--health-detail",
      description = "Serve /health too: what is wrong, as JSON, to whoever reaches the admin port.")
  boolean healthDetail;

  @Option(
      names = "--log-format",
      paramLabel = "FORMAT",
      defaultValue = "text",
      description = "How the log on stderr is written: text, or json, an object a line.")
  LogFormat logFormat = LogFormat.TEXT;

  /** The endpoint, already listening; null if none is wanted. */
  @Nullable AdminEndpoint open() {
    if (interval.compareTo(SHORTEST) < 0 || interval.compareTo(LONGEST) > 0)
      throw new UsageException("--admin-interval must be 100ms to 1h, was " + interval);
    if (port == null) return null;
    if (port < 0 || port > LAST_PORT)
      throw new UsageException("--admin-port must be 0 to 65535, was " + port);
    return AdminEndpoint.listen(bind, port, healthDetail);
  }
}
