package dev.dibs.app;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.sql.Schema;
import dev.dibs.worker.PromptSocketFactory;
import java.time.Duration;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A database, and how to connect to it: what a command works on. Thread-safe.
 *
 * <p>Closing it ends the embedded PostgreSQL that was started for the command, where one was.
 */
final class Database implements AutoCloseable {
  private static final int CONNECT_SECONDS = 5;
  private static final Duration WAIT_FOR_CONNECTION = Duration.ofSeconds(10);

  private final DatabaseUrl url;
  private final Schema schema;
  private final String user;
  private final Runnable onClose;

  /**
   * A database at an address.
   *
   * @param command what connects, shown in pg_stat_activity
   */
  Database(DatabaseUrl url, Schema schema, String command, Runnable onClose) {
    this.url = url;
    this.schema = schema;
    this.user = command.startsWith("dibs ") ? command : "dibs " + command;
    this.onClose = onClose;
  }

  Schema schema() {
    return schema;
  }

  DatabaseUrl url() {
    return url;
  }

  /** The same database, with connections that find unqualified names in another schema. */
  Database withSearchPath(String other) {
    String jdbc = url.jdbc() + (url.jdbc().contains("?") ? "&" : "?") + "currentSchema=" + other;
    return new Database(new DatabaseUrl(jdbc, url.user(), url.password()), schema, user, () -> {});
  }

  /**
   * Opens a new connection at every call.
   *
   * @param socketTimeout how long a statement's answer may take; zero: for ever
   */
  DataSource plain(Duration socketTimeout) {
    PGSimpleDataSource source = asTheDriverComes(socketTimeout);
    // Workers hear of tasks a millisecond sooner.
    if (!url.sets("socketFactory")) source.setSocketFactory(PromptSocketFactory.class.getName());
    return source;
  }

  /** The same, on sockets of the JDK's. */
  PGSimpleDataSource asTheDriverComes(Duration socketTimeout) {
    var source = new PGSimpleDataSource();
    source.setUrl(url.jdbc());
    if (!url.sets("ApplicationName")) source.setApplicationName(user);
    if (!url.sets("connectTimeout")) source.setConnectTimeout(CONNECT_SECONDS);
    if (!url.sets("socketTimeout"))
      source.setSocketTimeout(Math.toIntExact(socketTimeout.toSeconds()));
    if (!url.sets("tcpKeepAlive")) source.setTcpKeepAlive(true);
    if (!url.sets("logServerErrorDetail")) source.setLogServerErrorDetail(false); // quotes payloads
    url.user().ifPresent(source::setUser);
    url.password().ifPresent(source::setPassword);
    return source;
  }

  /** A pool of connections. Close it before this. */
  HikariDataSource pooled(int size, Duration socketTimeout) {
    return new HikariDataSource(pool(size, socketTimeout));
  }

  private HikariConfig pool(int size, Duration socketTimeout) {
    var config = new HikariConfig();
    config.setDataSource(plain(socketTimeout));
    config.setPoolName(user);
    config.setMaximumPoolSize(size);
    config.setConnectionTimeout(WAIT_FOR_CONNECTION.toMillis());
    config.setInitializationFailTimeout(-1);
    return config;
  }

  /** The same, on which each connection begins with {@code first}. */
  HikariDataSource pooled(int size, Duration socketTimeout, String first) {
    HikariConfig config = pool(size, socketTimeout);
    config.setConnectionInitSql(first);
    config.setMinimumIdle(0);
    return new HikariDataSource(config);
  }

  @Override
  public void close() {
    onClose.run();
  }
}
