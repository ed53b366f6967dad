package dev.dibs.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.testing.TestDatabase;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.ds.PGSimpleDataSource;

@Timeout(60)
class PromptSocketFactoryTest {
  private static PGSimpleDataSource prompt(TestDatabase db) {
    var source = new PGSimpleDataSource();
    source.setUrl(db.url());
    source.setSocketFactory(PromptSocketFactory.class.getName());
    return source;
  }

  private static InputStream input(InputStream in, int timeout) {
    return new PromptSocketFactory.PromptInput(in, () -> timeout);
  }

  /** Nothing is there, and never will be: whoever reads it would wait for ever. */
  private static final class Silent extends InputStream {
    @Override
    public int read() {
      throw new AssertionError("waited");
    }

    @Override
    public int read(byte[] buffer, int offset, int length) {
      throw new AssertionError("waited");
    }
  }

  @Test
  void whoOnlyLooks_doesNotWait() {
    InputStream in = input(new Silent(), 1);
    assertThatThrownBy(in::read).isInstanceOf(SocketTimeoutException.class);
    assertThatThrownBy(() -> in.read(new byte[8])).isInstanceOf(SocketTimeoutException.class);
  }

  @Test
  void whoOnlyLooks_seesWhatIsThere() throws IOException {
    InputStream in = input(new ByteArrayInputStream(new byte[] {1, 2, 3}), 1);
    assertThat(in.read()).isEqualTo(1);
    assertThat(in.readNBytes(2)).containsExactly(2, 3);
  }

  @Test
  void whoWaits_waits() {
    for (int timeout : new int[] {0, 2, 10_000}) {
      InputStream in = input(new Silent(), timeout);
      assertThatThrownBy(in::read).hasMessage("waited");
    }
  }

  /** The driver takes all that came together, and all that comes later. */
  @Test
  void notifications_areHeardAsOnOtherSockets() throws SQLException {
    try (TestDatabase db = TestDatabase.createEmpty();
        Connection listener = prompt(db).getConnection();
        var listen = listener.createStatement()) {
      listen.execute("listen c");
      List<String> sent = new ArrayList<>();
      List<String> heard = new ArrayList<>();
      for (int round = 1; round <= 50; round++) {
        db.execute(
            "select pg_notify('c', ? || '.' || n) from generate_series(1, ?) n", round, round);
        int of = round;
        IntStream.rangeClosed(1, round).forEach(n -> sent.add(of + "." + n));
        while (heard.size() < sent.size()) {
          PGNotification[] some = listener.unwrap(PGConnection.class).getNotifications(10_000);
          for (PGNotification one : some) heard.add(one.getParameter());
        }
        assertThat(heard).isEqualTo(sent);
      }
    }
  }

  /** Answers of many packets, that come slowly, and the copy protocol, which looks as well. */
  @Test
  void answers_areReadToTheirEnds() throws SQLException, IOException {
    try (TestDatabase db = TestDatabase.createEmpty();
        Connection connection = prompt(db).getConnection();
        var statement = connection.createStatement()) {
      try (var rows =
          statement.executeQuery(
              "select repeat('x', 1000), pg_sleep(0.0001) from generate_series(1, 5000)")) {
        int count = 0;
        while (rows.next()) count += rows.getString(1).length();
        assertThat(count).isEqualTo(5_000_000);
      }
      statement.execute("create table copied (n integer)");
      long copied =
          connection
              .unwrap(PGConnection.class)
              .getCopyAPI()
              .copyIn(
                  "copy copied from stdin",
                  new ByteArrayInputStream(
                      "7\n".repeat(100_000).getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
      assertThat(copied).isEqualTo(100_000);
    }
  }

  @Test
  void everyWayToASocket_connects() throws IOException {
    var factory = new PromptSocketFactory();
    InetAddress here = InetAddress.getLoopbackAddress();
    try (var server = new ServerSocket(0, 10, here)) {
      int port = server.getLocalPort();
      try (Socket one = factory.createSocket(here, port);
          Socket two = factory.createSocket(here.getHostAddress(), port);
          Socket three = factory.createSocket(here, port, here, 0);
          Socket four = factory.createSocket(here.getHostAddress(), port, here, 0)) {
        assertThat(List.of(one, two, three, four)).allMatch(Socket::isConnected);
      }
      assertThatThrownBy(() -> factory.createSocket("no-such-host.invalid", port))
          .isInstanceOf(IOException.class);
    }
  }
}
