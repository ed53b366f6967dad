package dev.dibs.testing;

import dev.dibs.sql.Migrations;
import dev.dibs.sql.Roles;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.NullMarked;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A migrated schema with its roles, and users who are members of one of them and nothing else.
 *
 * <p>Roles belong to the whole server, so the schema has a name that no other test has. Close it to
 * drop database, users and roles.
 */
@NullMarked
public final class TestRoles implements AutoCloseable {
  public static final List<String> ROLES =
      List.of("owner", "producer", "worker", "viewer", "operator");

  private static final String PASSWORD = "secret";

  private final TestDatabase db = TestDatabase.createEmpty();
  private final Schema schema =
      new Schema("r" + UUID.randomUUID().toString().replace("-", "").substring(0, 12));
  private final List<String> users = new ArrayList<>();

  public TestRoles() {
    Migrations.migrate(db.dataSource(), schema);
    Roles.grant(db.dataSource(), schema);
  }

  public Schema schema() {
    return schema;
  }

  /** The database, as its superuser. */
  public TestDatabase db() {
    return db;
  }

  /** A new user who is a member of {@code role}; he opens a new connection at every call. */
  public DataSource user(String role) {
    String user = userName(role);
    var dataSource = new PGSimpleDataSource();
    dataSource.setUrl(db.url());
    dataSource.setUser(user);
    dataSource.setPassword(PASSWORD);
    return dataSource;
  }

  /** The same, as a name; every user's password is {@link #password}. */
  public String userName(String role) {
    String user = schema.name() + "_user" + users.size();
    TestDatabase.administer(
        "create role %s login password '%s' in role %s_%s"
            .formatted(user, PASSWORD, schema.name(), role));
    users.add(user);
    return user;
  }

  public String password() {
    return PASSWORD;
  }

  /** A connection of a new user who is a member of {@code role}. */
  public Connection connectAs(String role) {
    try {
      return user(role).getConnection();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    db.close();
    users.forEach(user -> TestDatabase.administer("drop role " + user));
    ROLES.forEach(role -> TestDatabase.administer("drop role " + schema.name() + "_" + role));
  }
}
