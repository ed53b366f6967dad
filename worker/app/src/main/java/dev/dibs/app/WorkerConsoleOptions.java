package dev.dibs.app;

import dev.dibs.console.ConsoleSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of {@code dibs console}, for one inside a worker's process; without a port none. */
final class WorkerConsoleOptions {
  private static final String PREFIX = "--console-";

  @Option(
      names = "--console",
      paramLabel = "PORT",
      description = "Serve the console here; 0: any free port. Without it: off.")
  @Nullable Integer port;

  @Option(
      names = "--console-bind",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description =
          "Who can reach the console; 0.0.0.0: everybody, which needs --console-users or --console-proxy-from.")
  String bind = "127.0.0.1";

  @Option(
      names = "--console-users",
      paramLabel = "FILE",
      description = "Who may log in to the console, as for `dibs console --users`.")
  @Nullable Path users;

  @Option(
      names = "--console-proxy-from",
      paramLabel = "ADDRESS",
      split = ",",
      description = "As for `dibs console --proxy-from`.")
  List<String> proxies = List.of();

  @Option(
      names = "--console-proxy-secret-file",
      paramLabel = "FILE",
      description = "As for `dibs console --proxy-secret-file`.")
  @Nullable Path proxySecret;

  @Option(
      names = "--console-role",
      paramLabel = "ROLE",
      description = "viewer, operator or admin, where nobody is asked who they are; else admin.")
  @Nullable String role;

  @Option(names = "--console-https", description = "A proxy in front of the console speaks https.")
  boolean https;

  @Option(
      names = "--console-environment",
      paramLabel = "NAME",
      defaultValue = "unnamed",
      description = "On every page of the console.")
  String environment = "unnamed";

  @Option(names = "--console-read-only", description = "Nobody can change anything in the console.")
  boolean readOnly;

  /** The settings; empty if no console is wanted. */
  Optional<ConsoleSettings> settings() {
    if (port == null) return Optional.empty();
    return Optional.of(
        new ConsoleWish(
                PREFIX,
                ConsoleWish.address(PREFIX, bind, "--console", port),
                new ConsoleWish.Who(users, proxies, proxySecret, role, https),
                new ConsoleWish.Look(environment, readOnly))
            .settings());
  }
}
