package dev.dibs.app;

import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.console.Console;
import dev.dibs.console.ConsoleDatabase;
import dev.dibs.console.ConsoleSettings;
import dev.dibs.console.Login;
import dev.dibs.console.Role;
import dev.dibs.console.Users;
import java.net.InetAddress;
import java.time.Duration;
import java.util.stream.Collectors;

/** A console that listens, and the few connections it has. Closing it closes them. */
record OpenConsole(
    Console console,
    ConsoleSettings settings,
    HikariDataSource reads,
    HikariDataSource writes,
    HikariDataSource bulks,
    String label)
    implements AutoCloseable {
  private static final int READS = 4;
  private static final int WRITES = 2;
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(10);
  private static final Duration LONGEST_BATCH = Duration.ofMinutes(1);
  private static final String READING =
      "set statement_timeout = '1s'; set lock_timeout = '100ms'; "
          + "set idle_in_transaction_session_timeout = '5s'; set default_transaction_read_only = on";
  private static final String WRITING = "set statement_timeout = '2s'; set lock_timeout = '1s'";
  private static final String CHANGING = "set statement_timeout = '30s'";

  /**
   * Listens.
   *
   * @throws dev.dibs.DibsException if it cannot
   */
  static OpenConsole on(Database database, ConsoleSettings settings) {
    ServerLimits.setForStreams();
    HikariDataSource reads = database.pooled(READS, LONGEST_ANSWER, READING);
    HikariDataSource writes = database.pooled(WRITES, LONGEST_ANSWER, WRITING);
    HikariDataSource bulks = database.pooled(ConsoleDatabase.FOR_BULKS, LONGEST_BATCH, CHANGING);
    String label = database.url().toString().replaceFirst("\\?.*", "");
    try {
      var shown = new ConsoleDatabase(reads, writes, bulks, database.schema(), label);
      return new OpenConsole(
          Console.listen(settings, shown), settings, reads, writes, bulks, label);
    } catch (RuntimeException e) {
      reads.close();
      writes.close();
      bulks.close();
      throw e;
    }
  }

  /** Where it is, and who may come in. */
  String started() {
    String who =
        switch (settings.login()) {
          case Login.Local(Role role) -> "this machine only, everybody on it is " + role.word();
          case Login.Passwords(Users users) -> users.size() + " users";
          case Login.Proxy proxy ->
              proxy.addresses().stream()
                  .map(InetAddress::getHostAddress)
                  .collect(Collectors.joining(", ", "users of the proxy at ", ""));
        };
    return "dibs console on %s for %s: %s".formatted(console.url(), label, who);
  }

  @Override
  public void close() {
    console.close();
    reads.close();
    writes.close();
    bulks.close();
  }
}
