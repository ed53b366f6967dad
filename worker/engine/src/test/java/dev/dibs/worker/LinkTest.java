package dev.dibs.worker;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.sql.Plans;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
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
    return new Link(new Route(dataSource, new Outage()), ofSeconds(5), SET_UP);
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

  private static List<Integer> sessions(HikariDataSource pool) throws SQLException {
    List<Connection> taken = new ArrayList<>();
    List<Integer> pids = new ArrayList<>();
    for (int i = 0; i < pool.getMaximumPoolSize() - 1; i++) taken.add(pool.getConnection());
    for (Connection connection : taken) {
      try (connection;
          var rows = connection.createStatement().executeQuery("select pg_backend_pid()")) {
        rows.next();
        pids.add(rows.getInt(1));
      }
    }
    return pids;
  }

  /** After a failover the pool would keep handing out connections to the demoted server. */
  @Test
  void aServerThatTakesNoWrites_isLeftByTheWholePool() throws SQLException {
    for (String state : List.of("25006", "57P01", "08006")) {
      var config = new HikariConfig();
      config.setDataSource(db.dataSource());
      config.setMaximumPoolSize(4);
      try (var pool = new HikariDataSource(config);
          Link link = link(pool)) {
        link.use(connection -> execute(connection, "select 1"));
        List<Integer> before = sessions(pool);
        assertThatThrownBy(() ->
                link.use(connection ->
                    execute(
                        connection,
                        "do $$ begin raise exception 'no' using errcode = '"
                            + state
                            + "'; end $$")))
            .isInstanceOf(SQLException.class);
        assertThat(sessions(pool)).as(state).doesNotContainAnyElementsOf(before);
      }
    }
  }

  @Test
  void anErrorOfOneStatement_costsThePoolNothing() throws SQLException {
    try (HikariDataSource pool = poolOfOne();
        Link link = link(pool)) {
      int before = link.use(LinkTest::session);
      for (String state : List.of("55P03", "40001", "23505")) {
        assertThatThrownBy(() ->
                link.use(connection ->
                    execute(
                        connection,
                        "do $$ begin raise exception 'no' using errcode = '"
                            + state
                            + "'; end $$")))
            .isInstanceOf(SQLException.class);
      }
      int after = link.use(LinkTest::session);
      assertThat(after).isEqualTo(before);
    }
  }

  private static int session(Connection connection) throws SQLException {
    try (var rows = connection.createStatement().executeQuery("select pg_backend_pid()")) {
      rows.next();
      return rows.getInt(1);
    }
  }

  @Test
  void settings_becomeLocalWhereASessionIsNotOurs() {
    assertThat(Link.local("set statement_timeout = 5; set enable_seqscan = off"))
        .isEqualTo(" set local statement_timeout = 5; set local enable_seqscan = off");
    assertThat(Link.local(Plans.FIXED).split("set local "))
        .hasSize(Plans.FIXED.split("set ").length);
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
