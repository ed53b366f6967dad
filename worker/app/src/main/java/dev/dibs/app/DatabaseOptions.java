package dev.dibs.app;

import dev.dibs.sql.Migrations;
import dev.dibs.sql.Schema;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say which database a command works on, the same for all. */
final class DatabaseOptions {
  @Option(
      names = "--database-url",
      paramLabel = "URL",
      description = {
        "jdbc:postgresql://host:5432/database or postgresql://user:password@host/database.",
        "Without it: demo and bench start an embedded PostgreSQL of their own; worker starts one that all"
            + " others join, and they fail where there is none. Its data is gone when the process ends that started it."
      })
  @Nullable String url;

  @Option(
      names = "--database-user",
      paramLabel = "NAME",
      description = "Instead of the user in the URL.")
  @Nullable String user;

  @Option(
      names = "--database-password",
      paramLabel = "TEXT",
      description = "Better in a file or in the variable.")
  @Nullable String password;

  @Option(
      names = "--database-password-file",
      paramLabel = "FILE",
      description = "Its first line is the password.")
  @Nullable Path passwordFile;

  @Option(
      names = "--schema",
      paramLabel = "NAME",
      defaultValue = "dibs",
      description = "What holds the queue.")
  Schema schema = Schema.DEFAULT;

  @Option(
      names = "--fail-fast",
      description = {
        "Do not wait for a database that cannot be reached.",
        "Without it: worker, gateway, console and migrate wait until it is back, all else for a minute."
      })
  boolean failFast;

  Schema schema() {
    return schema;
  }

  /**
   * The database that the options name, else the embedded one of a running worker; it answers.
   *
   * @param command what connects
   * @throws UsageException if there is none
   * @throws dev.dibs.DatabaseException if it does not answer within a minute
   */
  Database find(Shell shell, String command) throws InterruptedException {
    return find(shell, command, DatabaseWait.A_WHILE);
  }

  /** The same, waited for as long as it takes: for what starts beside its database. */
  Database await(Shell shell, String command) throws InterruptedException {
    return find(shell, command, DatabaseWait.FOR_EVER);
  }

  private Database find(Shell shell, String command, Duration atMost) throws InterruptedException {
    if (url != null) return given(url, command, atMost);
    EmbeddedDatabase embedded =
        EmbeddedDatabase.find(shell)
            .orElseThrow(() ->
                new UsageException(
                    "no database: give --database-url (or DIBS_DATABASE_URL), or start `dibs worker`, which brings an embedded one"));
    return of(embedded, command);
  }

  /**
   * The database that the options name, else an embedded one, started or joined and migrated; it
   * answers.
   */
  Database findOrStart(Shell shell, String command) throws InterruptedException {
    return url != null
        ? given(url, command, DatabaseWait.FOR_EVER)
        : migrated(EmbeddedDatabase.startShared(shell), command);
  }

  /** A new embedded database for this command alone, migrated. */
  Database startPrivate(Shell shell, String command) {
    return migrated(EmbeddedDatabase.startPrivate(shell), command);
  }

  private Database migrated(EmbeddedDatabase embedded, String command) {
    Database database = of(embedded, command);
    Migrations.migrate(database.plain(Duration.ZERO), schema);
    return database;
  }

  private Database of(EmbeddedDatabase embedded, String command) {
    return new Database(DatabaseUrl.parse(embedded.url()), schema, command, embedded::close);
  }

  private Database given(String url, String command, Duration atMost) throws InterruptedException {
    Database database = new Database(address(url), schema, command, () -> {});
    awaitAgain(database, atMost);
    return database;
  }

  /** Returns when a database that was found before answers. */
  void awaitAgain(Database database, Duration atMost) throws InterruptedException {
    new DatabaseWait(database).untilReachable(failFast ? Duration.ZERO : atMost);
  }

  private DatabaseUrl address(String url) {
    DatabaseUrl address = DatabaseUrl.parse(url);
    if (user != null) address = address.withUser(user);
    String secret = password();
    return secret == null ? address : address.withPassword(secret);
  }

  private @Nullable String password() {
    if (passwordFile == null) return password;
    if (password != null) {
      throw new UsageException("give --database-password or --database-password-file, not both");
    }
    try (var lines = Files.lines(passwordFile)) {
      return lines.findFirst().orElse("");
    } catch (IOException | UncheckedIOException e) {
      throw new UsageException(
          "--database-password-file " + passwordFile + " cannot be read: " + e.getMessage());
    }
  }
}
