package dev.dibs.app;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say where a worker can be watched. */
final class AdminOptions {
  private static final int LAST_PORT = 65_535;

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

  /** The endpoint, already listening; null if none is wanted. */
  @Nullable AdminEndpoint open() {
    if (port == null) return null;
    if (port < 0 || port > LAST_PORT)
      throw new UsageException("--admin-port must be 0 to 65535, was " + port);
    return AdminEndpoint.listen(bind, port);
  }
}
