package dev.dibs.console.testing;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.console.Console;
import dev.dibs.console.ConsoleDatabase;
import dev.dibs.console.ConsoleSettings;
import dev.dibs.console.Login;
import dev.dibs.console.Role;
import dev.dibs.console.Users;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/** A console over a test's database, on a port of its own. */
public final class TestConsole implements AutoCloseable {
  public static final String PASSWORD = "correct horse battery";

  /**
   * What {@link #PASSWORD} becomes with the fewest iterations that are taken: tests log in often.
   */
  private static final String HASH =
      "pbkdf2-sha256$100000$AAAAAAAAAAAAAAAAAAAAAA$bzYmnnISQnrzo8N3R3HpQFDMT_MLZlxtshLEdDCD1Jc";

  /** Vera may look, Otto act, Ada all. */
  public static final Users USERS =
      Users.of(
          List.of("vera viewer " + HASH, "otto operator " + HASH, "ada admin " + HASH), "a test");

  private final HikariDataSource reads;
  private final HikariDataSource writes;
  private final HikariDataSource bulks;
  private final Console console;

  private TestConsole(TestDatabase database, ConsoleSettings settings) {
    reads = pool(database, 4, "set default_transaction_read_only = on");
    writes = pool(database, 2, "set statement_timeout = '2s'");
    bulks = pool(database, ConsoleDatabase.FOR_BULKS, "set statement_timeout = '30s'");
    console =
        Console.listen(
            settings, new ConsoleDatabase(reads, writes, bulks, Schema.DEFAULT, "orders@pg-1"));
  }

  private static HikariDataSource pool(TestDatabase database, int size, String first) {
    var config = new HikariConfig();
    config.setDataSource(database.dataSource());
    config.setMaximumPoolSize(size);
    config.setConnectionInitSql(first);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(2_000);
    config.setInitializationFailTimeout(-1);
    return new HikariDataSource(config);
  }

  /** Whoever is on this machine has the role. */
  public static TestConsole local(TestDatabase database, Role role) {
    return new TestConsole(database, settings(new Login.Local(role), "test", false));
  }

  /** Vera, Otto and Ada may log in. */
  public static TestConsole withUsers(TestDatabase database) {
    return new TestConsole(database, settings(new Login.Passwords(USERS), "prod", false));
  }

  public static TestConsole of(TestDatabase database, ConsoleSettings settings) {
    return new TestConsole(database, settings);
  }

  /** On a free port of this machine. */
  public static ConsoleSettings settings(Login login, String environment, boolean readOnly) {
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    return new ConsoleSettings(address, false, login, environment, readOnly, "1.4.0");
  }

  public String url() {
    return console.url();
  }

  public Console console() {
    return console;
  }

  @Override
  public void close() {
    console.close();
    reads.close();
    writes.close();
    bulks.close();
  }
}
