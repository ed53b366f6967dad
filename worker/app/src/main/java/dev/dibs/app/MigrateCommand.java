package dev.dibs.app;

import dev.dibs.sql.Migrations;
import dev.dibs.sql.Roles;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dibs migrate}: brings the schema to the version this build works with. */
@Command(name = "migrate", description = "Create or update the schema in the database.")
final class MigrateCommand implements Callable<Integer> {
  private static final Duration LONGEST_STATEMENT =
      Duration.ZERO; // an index on a large table takes its time

  private final Shell shell;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  @Option(names = "--print", description = "Print the SQL instead; needs no database.")
  boolean print;

  @Option(
      names = "--roles",
      description = {
        "Create the roles too, named like the schema (dibs_producer, dibs_worker, …), and grant",
        "them exactly what they need; once more after every migration."
      })
  boolean roles;

  MigrateCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (print) {
      shell.out().print(Migrations.script(options.schema()));
      if (roles) shell.out().print(Roles.script(options.schema()));
      shell.out().flush();
      return 0;
    }
    Database database = options.await(shell, "migrate");
    int applied = Migrations.migrate(database.plain(LONGEST_STATEMENT), options.schema());
    if (roles) Roles.grant(database.plain(LONGEST_STATEMENT), options.schema());
    shell
        .out()
        .println(
            "schema \""
                + options.schema().name()
                + "\" is at version "
                + Migrations.VERSION
                + " ("
                + applied
                + (applied == 1 ? " file" : " files")
                + " applied)"
                + (roles ? ", its roles are granted" : ""));
    return 0;
  }
}
