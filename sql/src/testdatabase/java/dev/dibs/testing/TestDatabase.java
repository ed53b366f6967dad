package dev.dibs.testing;

import dev.dibs.sql.Migrations;
import dev.dibs.sql.Roles;
import dev.dibs.sql.Schema;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A migrated database of a test's own, on a real PostgreSQL: the embedded one, or the server that
 * {@code dibs.test.url} names.
 *
 * <p>With {@code dibs.test.isolation} every transaction on it begins at that isolation level unless
 * it says otherwise.
 *
 * <p>With {@code dibs.test.role}, for example worker, what is tested connects as a member of that
 * role and nothing else: by {@link #dataSource}, {@link #connectTested} and {@link #testedUrl};
 * {@link #connect} and {@link #execute} stay the superuser's. Where that role is producer, what it
 * may not do is done by {@link #workerDataSource}.
 *
 * <p>Cheap: a copy of a template that is migrated once a JVM. Close it to drop it.
 */
@NullMarked
public final class TestDatabase implements AutoCloseable {
  private static final String RUN = UUID.randomUUID().toString().substring(0, 8);
  private static final String TEMPLATE = "dibs_template_" + RUN;
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final String ROLE = System.getProperty("dibs.test.role", "");
  private static final String MEMBER = "dibs_test_member";
  private static final String WORKER = "dibs_test_worker";
  private static @Nullable String server;

  private final String name;
  private final boolean migrated;
  private final String url;

  private TestDatabase(String name, boolean migrated) {
    this.name = name;
    this.migrated = migrated;
    this.url = urlOf(name);
  }

  /** A new database with the migrated schema {@code dibs}. */
  public static TestDatabase create() {
    return create(true, System.getProperty("dibs.test.isolation", ""));
  }

  /** The same, on which transactions begin at the isolation level {@code isolation}. */
  public static TestDatabase create(String isolation) {
    return create(true, isolation);
  }

  /** A new database without any schema. */
  public static TestDatabase createEmpty() {
    return create(false, "");
  }

  private static TestDatabase create(boolean migrated, String isolation) {
    ensureTemplate();
    String name = "dibs_test_" + RUN + "_" + COUNT.incrementAndGet();
    administer(
        "create database %s template %s strategy file_copy"
            .formatted(name, migrated ? TEMPLATE : "template1"));
    // As if migrated now: in a copy of an old template duties would be late.
    if (migrated) executeOn(urlOf(name), "update dibs.duty set next_run_at = now()");
    if (!isolation.isEmpty())
      administer(
          "alter database %s set default_transaction_isolation = '%s'".formatted(name, isolation));
    return new TestDatabase(name, migrated);
  }

  private static synchronized void ensureTemplate() {
    if (server != null) return;
    String given = System.getProperty("dibs.test.url", "");
    if (given.isEmpty()) {
      try {
        server =
            EmbeddedPostgres.builder()
                .setServerConfig("max_connections", "200")
                // No test pulls the plug, and dropping a database waits for all that is to be
                // synced.
                .setServerConfig("fsync", "off")
                .setPGStartupWait(Duration.ofSeconds(60))
                .start()
                .getJdbcUrl("postgres", "postgres");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    } else {
      server = given;
    }
    administer("create database " + TEMPLATE);
    if (!given.isEmpty()) dropTemplateAtExit();
    Migrations.migrate(dataSource(urlOf(TEMPLATE)), Schema.DEFAULT);
    if (!ROLE.isEmpty()) {
      Roles.grant(dataSource(urlOf(TEMPLATE)), Schema.DEFAULT);
      createMember(MEMBER, ROLE);
      createMember(WORKER, "worker");
    }
  }

  /** Makes a further schema, in which what is tested may do the same. */
  public void migrate(Schema schema) {
    Migrations.migrate(dataSource(url), schema);
    if (ROLE.isEmpty()) return;
    Roles.grant(dataSource(url), schema);
    execute("grant %s_%s to %s".formatted(schema.name(), ROLE, MEMBER));
  }

  private static void createMember(String member, String role) {
    administer("drop role if exists " + member);
    administer(
        "create role %s login password '%s' in role dibs_%s".formatted(member, member, role));
    // What tests have their handlers write to.
    executeOn(
        urlOf(TEMPLATE),
        "alter default privileges in schema public grant all on tables to " + member);
  }

  /** A server that was there before stays as it was; the embedded one goes with this JVM. */
  private static void dropTemplateAtExit() {
    var drop =
        new Thread(() -> administer("drop database if exists " + TEMPLATE + " with (force)"));
    Runtime.getRuntime().addShutdownHook(drop);
  }

  static void administer(String sql) {
    executeOn(urlOf("postgres"), sql);
  }

  private static void executeOn(String url, String sql) {
    try (Connection connection = dataSource(url).getConnection();
        var statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(sql + ": " + e.getMessage(), e);
    }
  }

  private static String urlOf(String database) {
    if (server == null) throw new IllegalStateException("no server");
    return server.replaceFirst("(jdbc:postgresql://[^/]*/)[^?]*", "$1" + database);
  }

  private static DataSource dataSource(String url) {
    var dataSource = new PGSimpleDataSource();
    dataSource.setUrl(url);
    return dataSource;
  }

  public String url() {
    return url;
  }

  /** The same with the user that {@link #dataSource} has. */
  public String testedUrl() {
    return url(MEMBER);
  }

  private String url(String member) {
    if (ROLE.isEmpty() || !migrated) return url;
    return "%s?user=%s&password=%s".formatted(url.replaceFirst("[?].*", ""), member, member);
  }

  /** Opens a new connection at every call, as a member of the role that is tested, if one is. */
  public DataSource dataSource() {
    return dataSource(testedUrl());
  }

  /** The same for what takes more than a producer: as a member of worker, if a role is tested. */
  public DataSource workerDataSource() {
    return dataSource(url(WORKER));
  }

  /** A connection of {@link #dataSource}. */
  public Connection connectTested() {
    return connect(testedUrl());
  }

  /** A connection of {@link #workerDataSource}. */
  public Connection connectWorker() {
    return connect(url(WORKER));
  }

  /** Whether what is tested may only enqueue. */
  public static boolean testsProducers() {
    return ROLE.equals("producer");
  }

  public Connection connect() {
    return connect(url);
  }

  private static Connection connect(String url) {
    try {
      return dataSource(url).getConnection();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A connection set up as the engine sets up its own, whatever transactions begin at here. */
  public Connection connectReadCommitted() {
    Connection connection = connect();
    try {
      connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      return connection;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Runs a statement with parameters in a transaction of its own; answers how many rows it touched.
   */
  public int execute(String sql, Object... parameters) {
    try (Connection connection = connect();
        var statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) statement.setObject(i + 1, parameters[i]);
      statement.execute();
      return statement.getUpdateCount();
    } catch (SQLException e) {
      throw new IllegalStateException(sql + ": " + e.getMessage(), e);
    }
  }

  /** The one value a query answers, as text; null where that is null. */
  public @Nullable String value(String sql, Object... parameters) {
    try (Connection connection = connect();
        var statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) statement.setObject(i + 1, parameters[i]);
      try (var rows = statement.executeQuery()) {
        return rows.next() ? rows.getString(1) : null;
      }
    } catch (SQLException e) {
      throw new IllegalStateException(sql + ": " + e.getMessage(), e);
    }
  }

  /** The one number a query answers; 0 where it answers none. */
  public long number(String sql, Object... parameters) {
    String value = value(sql, parameters);
    return value == null ? 0 : Long.parseLong(value);
  }

  /** How many unfinished tasks have the status. */
  public long tasks(String status) {
    return number("select count(*) from dibs.task where status = ?::dibs.task_status", status);
  }

  /** How many finished tasks have the status. */
  public long finished(String status) {
    return number(
        "select count(*) from dibs.task_history where status = ?::dibs.task_status", status);
  }

  @Override
  public void close() {
    administer("drop database if exists " + name + " with (force)");
  }
}
