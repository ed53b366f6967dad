package dev.dibs.app;

import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.console.Console;
import dev.dibs.console.ConsoleDatabase;
import dev.dibs.console.ConsoleSettings;
import dev.dibs.console.Login;
import dev.dibs.console.Role;
import dev.dibs.console.Users;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
  private static final int READS = 4;
  private static final int WRITES = 2;
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(10);
  private static final Duration LONGEST_BATCH = Duration.ofMinutes(1);
  private static final String READING =
      "set statement_timeout = '1s'; set lock_timeout = '100ms'; "
          + "set idle_in_transaction_session_timeout = '5s'; set default_transaction_read_only = on";
  private static final String WRITING = "set statement_timeout = '2s'; set lock_timeout = '1s'";
  private static final String CHANGING = "set statement_timeout = '30s'";
  private static final int LAST_PORT = 65_535;

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
      defaultValue = "admin",
      description = "viewer, operator or admin, where nobody is asked who they are.")
  String role = "admin";

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
    ServerLimits.setForStreams();
    try (Database database = options.find(shell, "console");
        HikariDataSource reads = database.pooled(READS, LONGEST_ANSWER, READING);
        HikariDataSource writes = database.pooled(WRITES, LONGEST_ANSWER, WRITING);
        HikariDataSource bulks =
            database.pooled(ConsoleDatabase.FOR_BULKS, LONGEST_BATCH, CHANGING)) {
      GatewayCommand.check(database);
      String label = database.url().toString().replaceFirst("\\?.*", "");
      var shown = new ConsoleDatabase(reads, writes, bulks, database.schema(), label);
      try (Console console = Console.listen(settings, shown)) {
        shell.out().println(started(console, settings, label));
        awaitEnd(console);
      }
    }
    return 0;
  }

  private ConsoleSettings settings() {
    if (port < 0 || port > LAST_PORT)
      throw new UsageException("--port must be 0 to 65535, was " + port);
    var address = new InetSocketAddress(bind, port);
    if (address.isUnresolved())
      throw new UsageException("--bind " + bind + " is no address of this machine");
    Login login = login();
    if (login instanceof Login.Local && !address.getAddress().isLoopbackAddress())
      throw new UsageException(
          "--bind "
              + bind
              + " lets others in: give --users FILE or --proxy-from, or bind 127.0.0.1");
    try {
      return new ConsoleSettings(address, https, login, environment, readOnly, Dibs.Version.text());
    } catch (IllegalArgumentException e) {
      throw new UsageException("--environment: " + e.getMessage());
    }
  }

  private Login login() {
    if (users != null && !proxies.isEmpty())
      throw new UsageException("give --users or --proxy-from, not both");
    if (users != null) return new Login.Passwords(Users.read(users));
    try {
      if (proxies.isEmpty()) return new Login.Local(Role.of(role));
      return new Login.Proxy(proxies, secret());
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }

  private String secret() {
    if (proxySecret == null)
      throw new UsageException(
          "--proxy-from needs --proxy-secret-file: an address alone can be borrowed");
    try (var lines = Files.lines(proxySecret)) {
      return lines.findFirst().orElse("");
    } catch (IOException | java.io.UncheckedIOException e) {
      throw new UsageException(
          "--proxy-secret-file " + proxySecret + " cannot be read: " + e.getMessage());
    }
  }

  private static void awaitEnd(Console console) throws InterruptedException {
    Runnable end = console::close;
    AtExit.add(end);
    try {
      console.awaitStop();
    } finally {
      AtExit.remove(end);
    }
  }

  private static String started(Console console, ConsoleSettings settings, String label) {
    String who =
        switch (settings.login()) {
          case Login.Local(Role role) -> "this machine only, everybody on it is " + role.word();
          case Login.Passwords(Users users) -> users.size() + " users";
          case Login.Proxy proxy -> "users of the proxy at " + String.join(", ", proxy.addresses());
        };
    return "dibs console on %s for %s: %s".formatted(console.url(), label, who);
  }
}
