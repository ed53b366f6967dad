package dev.dibs.chaos;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The programs of the PostgreSQL that Maven brings.
 *
 * @param directory where they are
 */
record PostgresBinaries(Path directory) {
  /** Starts the embedded server once, which unpacks it, and asks it where it is. */
  static PostgresBinaries unpacked() throws IOException, SQLException {
    try (EmbeddedPostgres embedded = EmbeddedPostgres.start();
        var connection = embedded.getPostgresDatabase().getConnection();
        var statement = connection.createStatement();
        var rows = statement.executeQuery("select setting from pg_config where name = 'BINDIR'")) {
      rows.next();
      return new PostgresBinaries(Path.of(rows.getString(1)));
    }
  }

  /** A command line; PostgreSQL refuses to run as root, so root becomes nobody in a namespace. */
  List<String> command(String program, String... arguments) {
    List<String> command = new ArrayList<>();
    if (System.getProperty("user.name").equals("root")) command.addAll(List.of("unshare", "-U"));
    command.add(directory.resolve(program).toString());
    command.addAll(Arrays.asList(arguments));
    return command;
  }
}
