package dev.dibs.app;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.dibs.sql.OldestSnapshot.Holder;
import dev.dibs.sql.OldestSnapshot.Look;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(60)
class SnapshotWatchTest {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final List<String> said = new CopyOnWriteArrayList<>();
  private final Logger logger = (Logger) LoggerFactory.getLogger(SnapshotWatch.class);
  private final AppenderBase<ILoggingEvent> ear =
      new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
          said.add(event.getFormattedMessage());
        }
      };

  SnapshotWatchTest() {
    logger.setLevel(Level.INFO);
    ear.start();
    logger.addAppender(ear);
  }

  @AfterEach
  void stopListening() {
    logger.detachAppender(ear);
  }

  private double age() {
    return registry.get("dibs.database.snapshot.age").gauge().value();
  }

  @Test
  void aHeldSnapshot_isShownNamedOnceAndForgottenWhenItEnds() throws Exception {
    try (var db = TestDatabase.create();
        var database = new Database(DatabaseUrl.parse(db.url()), Schema.DEFAULT, "test", () -> {});
        var gauges = new QueueGauges(database, Set.of("q"), registry, ofMillis(100));
        Connection old = db.connect();
        var statement = old.createStatement()) {
      old.setAutoCommit(false);
      old.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      statement.execute("set application_name = 'nightly report'");
      long pid;
      try (var row = statement.executeQuery("select pg_backend_pid()")) {
        row.next();
        pid = row.getLong(1);
      }
      db.execute("insert into dibs.task (id, kind) values (gen_random_uuid(), 'k')");
      db.execute("update dibs.task set attempt = 1");
      gauges.start();
      await().atMost(ofSeconds(20)).until(() -> age() > 2 && !said.isEmpty());
      assertThat(said)
          .hasSize(1)
          .first()
          .asString()
          .startsWith("process " + pid + " (nightly report of ")
          .contains("idle in transaction) has held a snapshot for ");
      await()
          .atMost(ofSeconds(20))
          .until(() -> registry.get("dibs.database.dead.rows").gauge().value() == 1);
      old.rollback();
      await().atMost(ofSeconds(20)).until(() -> said.size() == 2);
      assertThat(said.getLast()).isEqualTo("no old snapshot keeps dead tasks any more");
      assertThat(age()).isLessThan(2);
    }
  }

  private static Look look(long xid, Duration age) {
    return new Look(Optional.of(new Holder("process 1 (x)", xid, Optional.of(age))), 7);
  }

  @Test
  void anOldTransactionWithAYoungSnapshot_isNotTakenForAnOldOne() {
    var watch = new SnapshotWatch(registry, ofSeconds(5));
    for (int i = 0; i < 10; i++) {
      watch.saw(look(100 + i, ofSeconds(3_600 + i)), ofSeconds(i).toNanos());
      if (i > 0) assertThat(age()).isEqualTo(1);
    }
    assertThat(said).isEmpty();
    watch.saw(look(109, ofSeconds(3_610)), ofSeconds(10).toNanos());
    assertThat(age()).isEqualTo(3_610);
    assertThat(said).hasSize(1);
  }

  @Test
  void aSessionWhoseDetailsAreHidden_countsFromWhenItWasSeen() {
    var watch = new SnapshotWatch(registry, ofSeconds(5));
    var hidden = new Look(Optional.of(new Holder("process 1 (x)", 5, Optional.empty())), 7);
    for (int i = 0; i <= 9; i++) watch.saw(hidden, ofSeconds(i).toNanos());
    assertThat(age()).isEqualTo(9);
    assertThat(said)
        .hasSize(1)
        .first()
        .asString()
        .contains("at least 5 s", "7 now", "grant pg_read_all_stats");
    watch.sawNothing();
    assertThat(age()).isNaN();
  }
}
