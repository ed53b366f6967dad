package dev.dibs.worker;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.sql.Bell;
import dev.dibs.sql.RescueTasks;
import dev.dibs.sql.Schema;
import dev.dibs.sql.WorkerRows;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class RescuerTest {
  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connect();
  private final Rescuer rescuer =
      new Rescuer(
          new WorkerRows(Schema.DEFAULT),
          new RescueTasks(Schema.DEFAULT),
          new Bell(Schema.DEFAULT),
          WorkerSettings.DEFAULT.withLease(ofSeconds(1)),
          new WorkerMeters(new SimpleMeterRegistry()));

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  private long workers() {
    return db.number("select count(*) from dibs.worker");
  }

  @Test
  void aStallThatHeldUpEverybody_makesNobodyLookDead() throws SQLException {
    db.execute(
        "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, lease_until)"
            + " values (gen_random_uuid(), 'h', 1, 'x', '{q}', '{mail}', 8, now() - interval '1 s')");
    rescuer.rescueTasksOfTheDead(connection);
    long stalledAt = System.nanoTime();
    await().until(() -> System.nanoTime() - stalledAt > ofMillis(600).toNanos());

    rescuer.rescueTasksOfTheDead(connection);
    assertThat(workers()).isEqualTo(1);

    await()
        .atMost(ofSeconds(10))
        .pollInterval(ofMillis(50))
        .until(() -> {
          rescuer.rescueTasksOfTheDead(connection);
          return workers() == 0;
        });
  }
}
