package dev.dibs.sql;

import dev.dibs.DatabaseException;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * The roles of a schema: who may put tasks in, work, look and call off.
 *
 * <p>They are created where they are missing, own or are granted what {@code roles.sql} says, and
 * lose what else they were granted. Their names begin with the schema's. Done as often as one
 * likes; a migration that adds something needs it once more.
 */
public final class Roles {
  private static final String FILE = "dev/dibs/sql/roles.sql";

  private Roles() {}

  /**
   * Creates and grants, in one transaction. The schema must be migrated.
   *
   * @throws DatabaseException if the database refused: it takes a superuser, or who may create
   *     roles and owns the schema
   */
  public static void grant(DataSource dataSource, Schema schema) {
    try (Connection connection = dataSource.getConnection();
        var statement = connection.createStatement()) {
      statement.execute(script(schema));
    } catch (SQLException e) {
      throw new DatabaseException(
          "the roles of schema \"%s\" could not be created and granted".formatted(schema.name()),
          e);
    }
  }

  /** The same as a script, for people who run their own tool. */
  public static String script(Schema schema) {
    return Migrations.inSchema(schema, Migrations.read(FILE));
  }
}
