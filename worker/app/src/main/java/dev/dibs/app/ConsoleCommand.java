package dev.dibs.app;

import dev.dibs.console.Console;
import dev.dibs.console.ConsoleSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dibs console}: pages in a browser until a signal ends it. */
@Command(
    name = "console",
    description = {
      "Watch and steer the queue in a browser.",
      "",
      "Without --users or --proxy-from it is for this machine alone, and whoever is on it has the role of --role."
    })
final class ConsoleCommand implements Callable<Integer> {
  private final Shell shell;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  @Option(
      names = "--bind",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description = "Who can reach it; 0.0.0.0: everybody, which needs --users or --proxy-from.")
  String bind = "127.0.0.1";

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "9410",
      description = "Where it listens; 0: any free port.")
  int port = 9410;

  @Option(
      names = "--users",
      paramLabel = "FILE",
      description =
          "Who may log in: a line NAME ROLE HASH each, as `dibs console user` makes them.")
  @Nullable Path users;

  @Option(
      names = "--proxy-from",
      paramLabel = "ADDRESS",
      split = ",",
      description = "Believe X-Dibs-User and X-Dibs-Role of a proxy at these addresses instead.")
  List<String> proxies = List.of();

  @Option(
      names = "--proxy-secret-file",
      paramLabel = "FILE",
      description = "Its first line is what the proxy sends in X-Dibs-Proxy-Secret.")
  @Nullable Path proxySecret;

  @Option(
      names = "--role",
      paramLabel = "ROLE",
      description = "viewer, operator or admin, where nobody is asked who they are; else admin.")
  @Nullable String role;

  @Option(
      names = "--https",
      description = "A proxy in front speaks https: cookies are for that alone.")
  boolean https;

  @Option(
      names = "--environment",
      paramLabel = "NAME",
      defaultValue = "unnamed",
      description = "On every page; prod, staging, test and dev have their colours, others prod's.")
  String environment = "unnamed";

  @Option(names = "--read-only", description = "Nobody can change anything.")
  boolean readOnly;

  ConsoleCommand(Shell shell) {
    this.shell = shell;
  }

  /** With the command that makes the lines of its users' file. */
  static CommandLine with(Shell shell) {
    return new CommandLine(new ConsoleCommand(shell)).addSubcommand(new ConsoleUserCommand(shell));
  }

  @Override
  public Integer call() throws InterruptedException {
    ConsoleSettings settings = settings();
    try (Database database = options.await(shell, "console")) {
      GatewayCommand.check(database);
      try (OpenConsole console = OpenConsole.on(database, settings)) {
        awaitEnd(console.console(), console.started());
      }
    }
    return 0;
  }

  private ConsoleSettings settings() {
    return new ConsoleWish(
            "--",
            ConsoleWish.address("--", bind, "--port", port),
            new ConsoleWish.Who(users, proxies, proxySecret, role, https),
            new ConsoleWish.Look(environment, readOnly))
        .settings();
  }

  /** Who hears that it started may send a signal at once. */
  private void awaitEnd(Console console, String started) throws InterruptedException {
    Runnable end = console::close;
    AtExit.add(end);
    try {
      shell.out().println(started);
      console.awaitStop();
    } finally {
      AtExit.remove(end);
    }
  }
}
