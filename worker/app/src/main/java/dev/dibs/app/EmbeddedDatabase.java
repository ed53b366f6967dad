package dev.dibs.app;

import dev.dibs.DibsException;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL inside this process's lifetime, for those who have none at hand: its data goes when
 * it ends.
 *
 * <p>Shared ones are announced in a {@link DiscoveryFile}, so that {@code dibs enqueue} finds the
 * one that {@code dibs worker} started. Thread-safe.
 */
final class EmbeddedDatabase implements AutoCloseable {
  private static final String MAX_CONNECTIONS = "200";

  private final String url;
  private final @Nullable EmbeddedPostgres server;
  private final Runnable ending = this::stop;

  private EmbeddedDatabase(String url, @Nullable EmbeddedPostgres server) {
    this.url = url;
    this.server = server;
  }

  String url() {
    return url;
  }

  /** Starts one that nobody else is told about. */
  static EmbeddedDatabase startPrivate(Shell shell) {
    return start(shell);
  }

  /** Joins the one that another process of this user runs, or starts one for all of them. */
  static EmbeddedDatabase startShared(Shell shell) {
    DiscoveryFile file = DiscoveryFile.ofUser();
    return file.exclusively(() ->
        joined(shell, file)
            .orElseGet(() -> {
              EmbeddedDatabase started = start(shell);
              file.write(new DiscoveryFile.Entry(started.url, ProcessHandle.current().pid()));
              return started;
            }));
  }

  /** The one that another process of this user runs, if it answers. */
  static Optional<EmbeddedDatabase> find(Shell shell) {
    return joined(shell, DiscoveryFile.ofUser());
  }

  private static Optional<EmbeddedDatabase> joined(Shell shell, DiscoveryFile file) {
    Optional<DiscoveryFile.Entry> running = file.read().filter(EmbeddedDatabase::answers);
    running.ifPresent(entry ->
        shell.say(
            "no --database-url: using the embedded PostgreSQL of process "
                + entry.pid()
                + ", "
                + entry.url()
                + "; its data is gone when that process ends"));
    return running.map(entry -> new EmbeddedDatabase(entry.url(), null));
  }

  private static boolean answers(DiscoveryFile.Entry entry) {
    if (!ProcessHandle.of(entry.pid()).map(ProcessHandle::isAlive).orElse(false)) return false;
    try (var connection =
        DriverManager.getConnection(entry.url() + "&connectTimeout=5&socketTimeout=5")) {
      return connection.isValid(5);
    } catch (SQLException e) {
      return false; // another process with a reused id, or a server on its way out
    }
  }

  private static EmbeddedDatabase start(Shell shell) {
    EmbeddedPostgres server;
    try {
      server =
          EmbeddedPostgres.builder()
              .setServerConfig("fsync", "on")
              // The library's default is off: an acknowledged enqueue could be lost in a crash.
              .setServerConfig("synchronous_commit", "on")
              .setServerConfig("max_connections", MAX_CONNECTIONS)
              // Else a busy minute is a checkpoint, and what is measured then is that.
              .setServerConfig("max_wal_size", "4GB")
              .setServerConfig("listen_addresses", "127.0.0.1")
              .setPGStartupWait(Duration.ofMinutes(1))
              .setRegisterShutdownHook(false)
              .start();
    } catch (IOException | RuntimeException e) {
      throw new DibsException(
          "the embedded PostgreSQL cannot start: "
              + e.getMessage()
              + "; give --database-url (or DIBS_DATABASE_URL)",
          e);
    }
    String url = "jdbc:postgresql://127.0.0.1:" + server.getPort() + "/postgres?user=postgres";
    var embedded = new EmbeddedDatabase(url, server);
    AtExit.add(embedded.ending);
    shell.say("******** no --database-url: started an EMBEDDED PostgreSQL at " + url);
    shell.say(
        "******** its data is GONE when this process ends; for anything you want to keep, give --database-url");
    return embedded;
  }

  /** Stops the server and deletes its data, if this process started it. */
  @Override
  public void close() {
    stop(); // still known at exit: a JVM that ends now waits until this is through
    AtExit.remove(ending);
  }

  private synchronized void stop() {
    if (server == null) return;
    try (server) {
      DiscoveryFile.ofUser().deleteIfOf(url);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
