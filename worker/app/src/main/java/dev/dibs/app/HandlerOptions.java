package dev.dibs.app;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say what a worker can do. */
final class HandlerOptions {
  @Option(
      names = "--handlers",
      paramLabel = "DIR",
      description =
          "All *.jar in it are searched for a dev.dibs.worker.HandlerProvider, by ServiceLoader.")
  @Nullable Path directory;

  @Option(
      names = "--http-allow",
      paramLabel = "PREFIX",
      split = ",",
      description =
          "Kind http may call URLs at this scheme, host and port, at or below this path. Repeatable; without: none.")
  List<HttpUrl> httpAllow = new ArrayList<>();

  @Option(
      names = "--http-timeout",
      paramLabel = "DURATION",
      defaultValue = "30s",
      description = "How long a call of kind http may take, to the end of the answer.")
  Duration httpTimeout = Duration.ofSeconds(30);

  @Option(
      names = "--exec-allow",
      paramLabel = "COMMAND",
      split = ",",
      description =
          "Kind exec may run the program at this absolute path. Repeatable; without: none.")
  List<String> execAllow = new ArrayList<>();

  /** The handlers these options bring. Close it after the worker. */
  LoadedHandlers load() {
    return LoadedHandlers.load(this);
  }
}
