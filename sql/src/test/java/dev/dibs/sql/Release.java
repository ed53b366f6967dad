package dev.dibs.sql;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What went out with a version of the schema and is in use since: its migration, and the hot
 * statements that its builds send, which must go on to work for as long as such builds may run.
 *
 * <p>Kept under {@code src/test/resources/released/<version>}; a statement's first line names its
 * parameters.
 */
record Release(int version, Path directory) {
  private static final Path ALL = Path.of("src/test/resources/released");
  private static final String PARAMETERS = "-- parameters: ";

  /** All there were, the oldest first. */
  static List<Release> all() throws IOException {
    try (Stream<Path> directories = Files.list(ALL)) {
      return directories
          .map(path -> new Release(Integer.parseInt(path.getFileName().toString()), path))
          .sorted(Comparator.comparingInt(Release::version))
          .toList();
    }
  }

  /** The one that this build would be, if its schema was released as it is. */
  static Release ofThisBuild() {
    return new Release(Migrations.VERSION, ALL.resolve(Integer.toString(Migrations.VERSION)));
  }

  /** Keeps what this build sends. */
  void write(byte[] migration, Map<String, SqlText> statements) throws IOException {
    Files.createDirectories(directory);
    Files.write(directory.resolve("migration.sql"), migration);
    for (var statement : statements.entrySet()) {
      SqlText text = statement.getValue();
      Files.writeString(
          directory.resolve(statement.getKey() + ".sql"),
          PARAMETERS
              + String.join(" ", text.parameters())
              + "\n"
              + GoldenSqlTest.lines(text.sql()));
    }
  }

  byte[] migration() throws IOException {
    return Files.readAllBytes(directory.resolve("migration.sql"));
  }

  /** The statements by the verbs they are. */
  Map<String, SqlText> statements() throws IOException {
    Map<String, SqlText> statements = new HashMap<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString().replace(".sql", "");
        if (!name.equals("migration")) statements.put(name, read(file));
      }
    }
    return statements;
  }

  private static SqlText read(Path file) throws IOException {
    String[] parts = Files.readString(file).split("\n", 2);
    return new SqlText(parts[1], List.of(parts[0].substring(PARAMETERS.length()).split(" ")));
  }

  @Override
  public String toString() {
    return "schema version " + version;
  }
}
