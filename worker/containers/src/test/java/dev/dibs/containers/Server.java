package dev.dibs.containers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.Wait;

/** PostgreSQL in a container: {@code postgres:5432} inside, a port that stays the same outside. */
final class Server extends GenericContainer<Server> {
  static final String IMAGE = "postgres:18";
  static final String URL = "jdbc:postgresql://postgres:5432/shop";
  static final String USER = "shop";
  static final String PASSWORD = "correct-horse-battery-staple";
  private static final int PORT = 5432;
  private static final int PATIENCE_SECONDS = 5;

  private final int outside = freePort();

  Server(Network network) {
    super(IMAGE);
    withNetwork(network);
    withNetworkAliases("postgres");
    withEnv("POSTGRES_USER", USER);
    withEnv("POSTGRES_PASSWORD", PASSWORD);
    withEnv("POSTGRES_DB", "shop");
    withExposedPorts(PORT);
    // A port that the engine draws would be another after a restart.
    setPortBindings(List.of("127.0.0.1:" + outside + ":" + PORT));
    waitingFor(Wait.forLogMessage(".*database system is ready to accept connections.*\\s", 2));
  }

  private static int freePort() {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The way in from outside, where the producers of these tests are. */
  DataSource dataSource() {
    var source = new PGSimpleDataSource();
    source.setServerNames(new String[] {"127.0.0.1"});
    source.setPortNumbers(new int[] {outside});
    source.setDatabaseName("shop");
    source.setUser(USER);
    source.setPassword(PASSWORD);
    source.setConnectTimeout(PATIENCE_SECONDS);
    source.setSocketTimeout(PATIENCE_SECONDS);
    return source;
  }
}
