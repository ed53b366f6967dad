package dev.dibs.worker;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

@Timeout(30)
class LinkTest {
  private static final String SET_UP = "set statement_timeout = '30s'";

  private final TestDatabase db = TestDatabase.create();

  @AfterEach
  void drop() {
    db.close();
  }

  private HikariDataSource poolOfOne() {
    var config = new HikariConfig();
    config.setDataSource(db.dataSource());
    config.setMaximumPoolSize(1);
    config.setConnectionTimeout(3_000);
    return new HikariDataSource(config);
  }

  private static Link link(DataSource dataSource) {
    return new Link(dataSource, new Outage(), ofSeconds(5), SET_UP);
  }

  private static boolean execute(Connection connection, String sql) throws SQLException {
    try (var statement = connection.createStatement()) {
      return statement.execute(sql);
    }
  }

  @Test
  void brokenConnection_givesItsPlaceInThePoolBack() throws SQLException {
    try (HikariDataSource pool = poolOfOne();
        Link link = link(pool)) {
      for (int i = 0; i < 3; i++) {
        assertThatThrownBy(() ->
                link.use(connection ->
                    execute(connection, "select pg_terminate_backend(pg_backend_pid())")))
            .isInstanceOf(SQLException.class);
      }
      boolean answered = link.use(connection -> execute(connection, "select 1"));
      assertThat(answered).isTrue();
    }
  }

  @Test
  void closedLink_leavesThePoolWithoutItsSettings() throws SQLException {
    try (HikariDataSource pool = poolOfOne()) {
      Link link = link(pool);
      link.use(connection -> execute(connection, "select 1"));
      link.close();
      try (Connection connection = pool.getConnection();
          var statement = connection.createStatement();
          var rows = statement.executeQuery("show statement_timeout")) {
        rows.next();
        assertThat(rows.getString(1)).isEqualTo("0");
      }
    }
  }

  @Test
  void connectionThatOpensAfterTheLinkWasClosed_isEnded() throws Exception {
    var opening = new CountDownLatch(1);
    var closed = new CountDownLatch(1);
    var opened = new AtomicReference<Connection>();
    var slow =
        new PGSimpleDataSource() {
          @Override
          public Connection getConnection() throws SQLException {
            opening.countDown();
            try {
              closed.await();
            } catch (InterruptedException e) {
              throw new SQLException(e);
            }
            opened.set(super.getConnection());
            return opened.get();
          }
        };
    slow.setUrl(db.url());
    Link link = link(slow);
    try (var thread = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Boolean> late = thread.submit(() -> link.use(c -> execute(c, "select 1")));
      opening.await();
      link.close();
      closed.countDown();
      assertThatThrownBy(late::get).hasCauseInstanceOf(SQLException.class);
    }
    assertThat(opened.get().isClosed()).isTrue();
  }
}
