package dev.dibs.chaos;

import dev.dibs.sql.Migrations;
import dev.dibs.sql.Schema;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import org.postgresql.ds.PGSimpleDataSource;

/** Makes data directories: a new one with Dibs and the audit in it, copies, and standbys. */
final class DataDirectory {
  private static final String CONFIGURATION =
      """
      listen_addresses = '127.0.0.1'
      unix_socket_directories = ''
      max_connections = 200
      shared_buffers = 64MB
      fsync = off
      wal_keep_size = 256MB
      max_wal_senders = 5
      hot_standby = on
      wal_receiver_timeout = 5s
      wal_retrieve_retry_interval = 200ms
      log_checkpoints = off
      include_if_exists = '%s'
      """
          .formatted(PostgresServer.ROLE);

  /** What a copy of a running server must not hold. */
  private static final Set<String> NOT_COPIED =
      Set.of("postmaster.pid", "postmaster.opts", "standby.signal", "backup_label");

  private DataDirectory() {}

  /** Makes {@code data} the directory of a server that was migrated, audited and stopped. */
  static void create(PostgresBinaries binaries, Path data)
      throws IOException, SQLException, InterruptedException {
    Path log = data.resolveSibling("initdb.log");
    var initdb =
        binaries.command(
            "initdb",
            "-D",
            data.toString(),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync");
    int exit =
        new ProcessBuilder(initdb)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start()
            .waitFor();
    if (exit != 0) throw new IOException("initdb failed, see " + log);
    Files.writeString(data.resolve("postgresql.conf"), CONFIGURATION, StandardOpenOption.APPEND);
    try (var server = new PostgresServer(binaries, data)) {
      server.start();
      var dataSource = new PGSimpleDataSource();
      dataSource.setUrl("jdbc:postgresql://127.0.0.1:" + server.port() + "/postgres?user=postgres");
      Migrations.migrate(dataSource, Schema.DEFAULT);
      server.execute(resource("audit.sql"));
      server.stop();
    }
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = DataDirectory.class.getResourceAsStream(name)) {
      if (in == null) throw new IOException(name + " is missing");
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** Copies the directory of a server that is stopped. */
  static void copy(Path from, Path to) throws IOException {
    copy(from, to, true);
  }

  /**
   * Copies what {@code primary}, which runs, has in its directory and makes it a standby that
   * follows {@code port}.
   */
  static void copyForStandby(PostgresServer primary, Path to, int port)
      throws IOException, SQLException {
    try (Connection connection = primary.connect();
        var statement = connection.createStatement()) {
      statement.execute("select pg_backup_start('chaos', true)");
      copy(primary.data(), to, false);
      try (var rows = statement.executeQuery("select labelfile from pg_backup_stop(false)")) {
        rows.next();
        Files.writeString(to.resolve("backup_label"), rows.getString(1));
      }
    }
    Files.writeString(to.resolve("standby.signal"), "");
    Files.writeString(
        to.resolve(PostgresServer.ROLE),
        "primary_conninfo = 'host=127.0.0.1 port=%d user=postgres application_name=standby'\n"
            .formatted(port));
  }

  /** With {@code log}, takes along the write-ahead log; a standby streams it. */
  private static void copy(Path from, Path to, boolean log) throws IOException {
    Path wal = from.resolve("pg_wal");
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
              throws IOException {
            Path copy = to.resolve(from.relativize(directory));
            Files.createDirectories(copy);
            Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rwx------"));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            boolean left =
                NOT_COPIED.contains(file.getFileName().toString())
                    || (!log && file.startsWith(wal));
            if (left) return FileVisitResult.CONTINUE;
            try {
              Files.copy(file, to.resolve(from.relativize(file)));
            } catch (NoSuchFileException e) {
              return FileVisitResult
                  .CONTINUE; // the server removed it meanwhile, and its log says so
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) return FileVisitResult.CONTINUE;
            throw e;
          }
        });
  }
}
