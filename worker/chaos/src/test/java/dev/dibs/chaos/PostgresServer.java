package dev.dibs.chaos;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One PostgreSQL server that can be crashed and started again on its data. Used by one thread, but
 * for {@link #connect}.
 *
 * <p>It runs without fsync: its process crashes here, never the machine, and what a process has
 * written stays with the kernel.
 */
final class PostgresServer implements AutoCloseable {
  /** Included by the configuration; what makes a standby of a server, or it synchronous. */
  static final String ROLE = "role.conf";

  private static final Duration START = Duration.ofSeconds(60);

  private final PostgresBinaries binaries;
  private final Path data;
  private final int port;
  private final Thread atExit = new Thread(this::kill);
  private @Nullable Process process;

  /** A server on the data in {@code data}, not yet started. */
  PostgresServer(PostgresBinaries binaries, Path data) {
    this.binaries = binaries;
    this.data = data;
    this.port = freePort();
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  static int freePort() {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int port() {
    return port;
  }

  Path data() {
    return data;
  }

  /** Starts it and waits until it answers. */
  void start() {
    File log = data.resolveSibling(data.getFileName() + ".log").toFile();
    var command = binaries.command("postgres", "-D", data.toString(), "-p", Integer.toString(port));
    try {
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Await.until(
        "a server that answers, see " + log,
        START,
        () -> {
          try (Connection connection = connect()) {
            return connection.isValid(1);
          }
        });
  }

  /** Stops it in the immediate mode: no checkpoint, nobody is waited for. */
  void crash() {
    end("QUIT");
  }

  /** Stops it in the fast mode. */
  void stop() {
    end("INT");
  }

  private void end(String signal) {
    Process running = process;
    if (running == null) return;
    process = null;
    Signals.send(signal, running);
    try {
      if (!running.waitFor(START.toSeconds(), TimeUnit.SECONDS))
        throw new IllegalStateException("the server did not end by " + signal);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void kill() {
    Process running = process;
    if (running == null) return;
    Signals.send("QUIT", running);
  }

  boolean isRunning() {
    return process != null;
  }

  /** A connection past all proxies, whose statements all end. */
  Connection connect() throws SQLException {
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:%d/postgres?user=postgres&ApplicationName=judge&connectTimeout=5&socketTimeout=60"
            .formatted(port));
  }

  void execute(String sql) throws SQLException {
    try (Connection connection = connect();
        var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The one value a query answers, as text. */
  String value(String sql) throws SQLException {
    try (Connection connection = connect();
        var statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      rows.next();
      return String.valueOf(rows.getString(1));
    }
  }

  /** Replaces what it is set to besides, and lets it know if it runs. */
  void play(String role) throws SQLException {
    try {
      Files.writeString(data.resolve(ROLE), role);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (process != null) execute("select pg_reload_conf()");
  }

  @Override
  public void close() {
    crash();
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      return; // this JVM is ending, and the hook does the rest
    }
  }
}
