package dev.dibs.app;

import dev.dibs.DatabaseException;
import dev.dibs.sql.Migrations;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dibs gateway}: enqueues over HTTP until a signal ends it; then it answers what it has. */
@Command(
    name = "gateway",
    description = {
      "Enqueue over HTTP, for services without a connection to the database: POST /v1/tasks.",
      "",
      "SIGTERM ends it: it takes no more, answers what it has taken, for 20 s at most. /openapi.json describes the rest."
    })
final class GatewayCommand implements Callable<Integer> {
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(30);
  private static final int LAST_PORT = 65_535;

  private final Shell shell;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  @Option(
      names = "--bind",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description = "Who can reach it; 0.0.0.0: everybody, which needs --tokens.")
  String bind = "127.0.0.1";

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "9420",
      description = "Where it listens; 0: any free port.")
  int port = 9420;

  @Option(
      names = "--tokens",
      paramLabel = "FILE",
      description =
          "A line {\"name\":…,\"sha256\":…,\"queues\":[…]} for each token; \"rate\": requests a second.")
  @Nullable Path tokens;

  @Option(
      names = "--max-body",
      paramLabel = "BYTES",
      defaultValue = "1048576",
      description = "The largest request.")
  int maxBody = GatewaySettings.DEFAULT.maxBody();

  @Option(
      names = "--max-payload",
      paramLabel = "BYTES",
      defaultValue = "262144",
      description = "The largest payload.")
  int maxPayload = GatewaySettings.DEFAULT.maxPayload();

  @Option(
      names = "--max-requests",
      paramLabel = "N",
      defaultValue = "256",
      description = "Requests in flight; who comes beyond them is answered 429.")
  int maxRequests = GatewaySettings.DEFAULT.maxRequests();

  @Option(
      names = "--connections",
      paramLabel = "N",
      defaultValue = "4",
      description = "Connections to the database.")
  int connections = GatewaySettings.DEFAULT.connections();

  GatewayCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    GatewaySettings settings = settings();
    Tokens known = tokens == null ? Tokens.none() : Tokens.read(tokens);
    InetSocketAddress address = address(known);
    try (Database database = options.await(shell, "gateway")) {
      check(database);
      try (Gateway gateway = Gateway.listen(address, database, settings, known)) {
        awaitEnd(gateway, started(gateway, database, known));
      }
    }
    return 0;
  }

  private GatewaySettings settings() {
    try {
      return new GatewaySettings(maxBody, maxPayload, maxRequests, connections);
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }

  private InetSocketAddress address(Tokens known) {
    if (port < 0 || port > LAST_PORT)
      throw new UsageException("--port must be 0 to 65535, was " + port);
    var address = new InetSocketAddress(bind, port);
    if (address.isUnresolved())
      throw new UsageException("--bind " + bind + " is no address of this machine");
    if (!known.areAsked() && !address.getAddress().isLoopbackAddress())
      throw new UsageException(
          "--bind " + bind + " lets others in: give --tokens FILE, or bind 127.0.0.1");
    return address;
  }

  /** Refuses a schema that this build cannot work with. */
  static void check(Database database) {
    try (Connection connection = database.plain(LONGEST_ANSWER).getConnection()) {
      Migrations.check(connection, database.schema());
    } catch (SQLException e) {
      throw new DatabaseException("the schema could not be looked at", e);
    }
  }

  /** Who hears that it started may send a signal at once. */
  private void awaitEnd(Gateway gateway, String started) throws InterruptedException {
    Runnable end = gateway::close;
    AtExit.add(end);
    try {
      shell.out().println(started);
      gateway.awaitStop();
    } finally {
      AtExit.remove(end);
    }
  }

  private static String started(Gateway gateway, Database database, Tokens known) {
    return "dibs gateway on %s for %s (schema %s): %s"
        .formatted(
            gateway.url(),
            database.url().toString().replaceFirst("\\?.*", ""),
            database.schema().name(),
            known.areAsked() ? known.size() + " tokens" : "no tokens, this machine only");
  }
}
