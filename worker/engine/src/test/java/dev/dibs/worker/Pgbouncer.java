package dev.dibs.worker;

import static java.time.Duration.ofSeconds;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real pgbouncer that lends sessions by the transaction. */
public final class Pgbouncer implements AutoCloseable {
  /** How many ports are tried: another process may take one that was free a moment ago. */
  private static final int PORTS = 3;

  private final Path directory;
  private final Process process;
  private final String url;

  public Pgbouncer(String url) throws IOException, InterruptedException {
    URI server = URI.create(url.substring("jdbc:".length()));
    this.directory = Files.createTempDirectory("pgbouncer");
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    int port = freePort();
    Process started = start(settings(server, port));
    for (int i = 1; i < PORTS && !listens(started); i++) {
      port = freePort();
      started = start(settings(server, port));
    }
    if (!listens(started)) throw new AssertionError("pgbouncer ended: " + log());
    this.process = started;
    this.url =
        "jdbc:postgresql://127.0.0.1:%d%s?user=postgres&prepareThreshold=0"
            .formatted(port, server.getPath());
  }

  private Path settings(URI server, int port) throws IOException {
    return Files.writeString(
        directory.resolve("pgbouncer.ini"),
        """
        [databases]
        * = host=%s port=%d user=postgres
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = %d
        unix_socket_dir =
        auth_type = any
        pool_mode = transaction
        default_pool_size = 6
        max_client_conn = 100
        ignore_startup_parameters = extra_float_digits
        """
            .formatted(address(server.getHost()), server.getPort(), port));
  }

  private static String address(String host) {
    return host.equals("localhost") ? "127.0.0.1" : host;
  }

  private static Process start(Path settings) throws IOException {
    List<String> command = new ArrayList<>(List.of(executable()));
    if (System.getProperty("user.name").equals("root")) command.addAll(List.of("-u", "nobody"));
    command.add(settings.toString());
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(settings.resolveSibling("log").toFile())
        .start();
  }

  private static String executable() {
    for (String path :
        List.of(
            "/usr/sbin/pgbouncer",
            "/usr/bin/pgbouncer",
            "/usr/local/bin/pgbouncer",
            "/opt/homebrew/bin/pgbouncer")) if (Files.isExecutable(Path.of(path))) return path;
    throw new AssertionError(
        "this test needs pgbouncer: install it (Debian and Ubuntu: apt-get install pgbouncer; macOS: brew install pgbouncer)");
  }

  /** Waits until it listens; false if it ended instead. */
  private boolean listens(Process started) {
    await().atMost(ofSeconds(10)).until(() -> !started.isAlive() || log().contains("listening on"));
    return started.isAlive();
  }

  private String log() {
    try {
      return Files.readString(directory.resolve("log"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** The database through the pooler. */
  public String url() {
    return url;
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) process.destroyForcibly();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    for (String file : List.of("pgbouncer.ini", "log"))
      Files.deleteIfExists(directory.resolve(file));
    Files.deleteIfExists(directory);
  }
}
