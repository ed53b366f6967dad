package dev.dibs.worker;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.Codec;
import dev.dibs.producer.Producer;
import dev.dibs.sql.Bell;
import dev.dibs.sql.FinishTask;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

@Timeout(120)
class ListenerTest {
  private static final int CUTS = 200;

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Ledger ledger =
      new Ledger(Map.of("q", 8), Set.of("k"), new Membership(ofMinutes(1)), ofSeconds(1), 3);

  @AfterEach
  void drop() {
    stopped.countDown();
    producer.close();
    db.close();
  }

  private Loop start(Link link) {
    return start(link, () -> {});
  }

  private Loop start(Link link, Runnable rung) {
    var runner =
        new TaskRunner(
            new HandlerCalls(
                new Handlers(),
                new TaskTransactions(
                    db.dataSource(),
                    new FinishTask(Schema.DEFAULT),
                    producer,
                    new WorkerMeters(new SimpleMeterRegistry())),
                Codec.jackson()),
            ledger,
            new WorkerMeters(new SimpleMeterRegistry()),
            new RunTimer(ofMinutes(1)),
            Thread.ofVirtual().factory());
    var listener = new Listener(link, new Bell(Schema.DEFAULT), ledger, runner, rung);
    var loop = new Loop("listener", stopped, () -> listener.listenUntil(stopped));
    loop.start();
    return loop;
  }

  /** The server's session that listens; 0 where none does. */
  private static int listener(Connection admin) throws SQLException {
    try (PreparedStatement statement =
            admin.prepareStatement(
                "select max(pid) from pg_stat_activity where datname = current_database() and query like 'listen%'");
        var rows = statement.executeQuery()) {
      rows.next();
      return rows.getInt(1);
    }
  }

  private static int awaitListener(Connection admin, int before) {
    await()
        .atMost(ofSeconds(10))
        .pollInterval(ofMillis(5))
        .until(() -> listener(admin) != 0 && listener(admin) != before);
    try {
      return listener(admin);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aListenerThatIsCutTwoHundredTimes_leaksNoConnection() throws Exception {
    var config = new HikariConfig();
    config.setDataSource(db.dataSource());
    config.setMaximumPoolSize(2);
    try (var pool = new HikariDataSource(config);
        Link link = new Link(new Route(pool, new Outage()), ofSeconds(5), "");
        Connection admin = db.connect()) {
      Loop loop = start(link);
      int pid = 0;
      for (int i = 0; i < CUTS; i++) {
        pid = awaitListener(admin, pid);
        try (var cut = admin.prepareStatement("select pg_terminate_backend(?)")) {
          cut.setInt(1, pid);
          cut.execute();
        }
      }
      awaitListener(admin, pid);
      assertThat(loop.isAlive()).isTrue();
      assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isEqualTo(1);
      // The server takes a moment to end a session.
      await()
          .atMost(ofSeconds(10))
          .until(() ->
              db.number(
                      "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
                  <= 4);
      stopped.countDown();
    }
  }

  /** The link is given up with its connection, and nobody listens on the next by itself. */
  @Test
  void aListenerThatRanOutOfMemory_listensAnew() throws Exception {
    var heard = new AtomicInteger();
    Runnable rung =
        () -> {
          if (heard.incrementAndGet() == 1) throw new OutOfMemoryError("as a test wants it");
        };
    try (Link link = new Link(new Route(db.dataSource(), new Outage()), ofSeconds(5), "")) {
      start(link, rung);
      await().atMost(ofSeconds(9)).until(() -> heard.get() == 2); // it begins to listen
      db.execute("notify \"" + Schema.DEFAULT.channel() + "\", 'q'");
      await().atMost(ofSeconds(9)).until(() -> heard.get() == 3);
      stopped.countDown();
    }
  }

  /** A connection that is cut silently never says so. */
  @Test
  void aListenerOnADeadWire_noticesAndListensAnew() throws Exception {
    try (var wire = new Wire(db.url());
        Connection admin = db.connect()) {
      var throughWire = new PGSimpleDataSource();
      throughWire.setUrl(wire.url());
      try (Link link = new Link(new Route(throughWire, new Outage()), ofSeconds(2), "")) {
        start(link);
        int before = awaitListener(admin, 0);
        wire.swallowWhatIsOpen();
        await()
            .atMost(ofSeconds(30))
            .until(() -> listener(admin) != 0 && listener(admin) != before);
        stopped.countDown();
      }
    }
  }

  @Test
  void aListenerThatCouldNotConnectAtFirst_listensInTheEnd() throws Exception {
    var refusals = new AtomicInteger(2);
    DataSource late =
        new PGSimpleDataSource() {
          {
            setUrl(db.url());
          }

          @Override
          public Connection getConnection() throws SQLException {
            if (refusals.getAndDecrement() > 0) throw new SQLException("not yet", "08001");
            return super.getConnection();
          }
        };
    try (Link link = new Link(new Route(late, new Outage()), ofSeconds(5), "");
        Connection admin = db.connect()) {
      Loop loop = start(link);
      assertThat(awaitListener(admin, 0)).isPositive();
      assertThat(loop.isAlive()).isTrue();
      assertThat(refusals).hasNegativeValue();
      stopped.countDown();
    }
  }
}
