package dev.dibs.sql;

import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.SchemaVersionException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;

/**
 * Brings a schema to the version this build works with, and tells which version it has.
 *
 * <p>The files under {@link #LOCATION} are plain SQL with unqualified names; Flyway or any other
 * tool may run them in order, with search_path set to the one schema.
 */
public final class Migrations {
  /** Where the files are on the class path. */
  public static final String LOCATION = "dev/dibs/sql/migration";

  /** The schema version this build works with. */
  public static final int VERSION = 10;

  private static final List<String> FILES =
      List.of(
          "V001__tasks.sql",
          "V002__schedules.sql",
          "V003__unique_tasks.sql",
          "V004__functions.sql",
          "V005__operations.sql",
          "V006__bulk.sql",
          "V007__explain.sql",
          "V008__enqueue_rows.sql",
          "V009__schedules.sql",
          "V010__guards.sql");
  private static final String UNDEFINED_FUNCTION = "42883";
  private static final String UNDEFINED_SCHEMA = "3F000";

  private Migrations() {}

  /**
   * Applies what is missing, by Flyway, under its lock; creates the schema where it does not exist.
   *
   * @return how many files were applied
   * @throws DibsException if a file could not be applied; PostgreSQL rolled it back then
   */
  public static int migrate(DataSource dataSource, Schema schema) {
    try {
      return Flyway.configure(Migrations.class.getClassLoader())
          .dataSource(dataSource)
          .defaultSchema(schema.name())
          .createSchemas(true)
          .locations("classpath:" + LOCATION)
          .load()
          .migrate()
          .migrationsExecuted;
    } catch (FlywayException e) {
      throw new DibsException(
          "schema \"%s\" could not be migrated to version %d: %s"
              .formatted(schema.name(), VERSION, e.getMessage()),
          e);
    }
  }

  /** All files as one script, for people who run their own tool. */
  public static String script(Schema schema) {
    var script = new StringBuilder();
    for (String file : FILES) {
      script.append("\n-- ").append(file).append('\n').append(read(LOCATION + "/" + file));
    }
    return inSchema(
        schema, "create schema if not exists \"%s\";\n%s".formatted(schema.name(), script));
  }

  /** A script that finds and creates what it names in {@code schema}, as one transaction. */
  static String inSchema(Schema schema, String script) {
    return "begin;\nset local search_path to \"%s\";\n%s\ncommit;\n"
        .formatted(schema.name(), script);
  }

  /** The file that brings a schema to {@code version}. */
  static String file(int version) {
    return FILES.get(version - 1);
  }

  /** A file of the class path. */
  static String read(String path) {
    try (InputStream in = Migrations.class.getClassLoader().getResourceAsStream(path)) {
      if (in == null) throw new IllegalStateException("the jar lacks " + path);
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Refuses a schema this build cannot work with.
   *
   * <p>A newer one is not refused while it says that it still serves builds of this version: so a
   * schema is migrated first and its workers are replaced one after another.
   *
   * @throws SchemaVersionException if there is no Dibs schema, an older one, or a newer one that
   *     serves this build no more
   * @throws DatabaseException if the database cannot answer
   */
  public static void check(Connection connection, Schema schema) {
    int found = number(connection, schema, "schema_version");
    if (found == VERSION) return;
    if (found < VERSION)
      throw new SchemaVersionException(
          "schema \"%s\" is at version %d, this build needs %d; run `dibs migrate`"
              .formatted(schema.name(), found, VERSION));
    int oldest = number(connection, schema, "schema_serves_from");
    if (oldest > VERSION)
      throw new SchemaVersionException(
          "schema \"%s\" is at version %d and serves builds from version %d on, this build is of version %d; use a newer build"
              .formatted(schema.name(), found, oldest, VERSION));
  }

  /**
   * The version of a schema.
   *
   * @throws SchemaVersionException if there is no Dibs schema
   * @throws DatabaseException if the database cannot answer
   */
  public static int version(Connection connection, Schema schema) {
    return number(connection, schema, "schema_version");
  }

  private static int number(Connection connection, Schema schema, String function) {
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery("select \"" + schema.name() + "\"." + function + "()")) {
      rows.next();
      return rows.getInt(1);
    } catch (SQLException e) {
      if (UNDEFINED_FUNCTION.equals(e.getSQLState()) || UNDEFINED_SCHEMA.equals(e.getSQLState())) {
        throw new SchemaVersionException(
            "the database has no Dibs schema \"%s\"; run `dibs migrate`".formatted(schema.name()));
      }
      throw new DatabaseException(
          "the version of schema \"" + schema.name() + "\" could not be read", e);
    }
  }
}
