package dev.dibs.worker;

import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.Codec;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Priority;
import dev.dibs.Task;
import dev.dibs.producer.Producer;
import dev.dibs.sql.Exchange;
import dev.dibs.sql.FinishTask;
import dev.dibs.sql.ReadBack;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ExchangeRecoveryTest {
  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connect();
  private final Producer producer = Producer.on(db.dataSource());
  private final Ledger ledger =
      new Ledger(Map.of("q", 8), Set.of("k"), new Membership(ofMinutes(1)), ofSeconds(1), 3);
  private final TaskRunner runner =
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
  private final ExchangeRecovery recovery =
      new ExchangeRecovery(
          new ReadBack(Schema.DEFAULT),
          ledger,
          runner,
          new WorkerMeters(new SimpleMeterRegistry()));

  @AfterEach
  void drop() throws SQLException {
    producer.close();
    connection.close();
    db.close();
  }

  /** As behind a synchronous standby that was away: the commit shows when it is back. */
  @Test
  void aClaimThatShowsAfterMinutes_isFoundOnce() throws SQLException {
    producer.enqueue(Kind.json("k").task(new Json("1")).queue("q"));
    var lane = new Exchange.LaneRoom(new Task.Lane("q", Priority.NORMAL), 0, 8);
    var claim =
        new Exchange.Claim(
            UUID.randomUUID(), UUID.randomUUID(), List.of(lane), Map.of("q", 8), Set.of("k"));
    long departedAt = System.nanoTime() - ofMinutes(5).toNanos();

    recovery.doubt(new Trip(List.of(), claim, false, departedAt));
    recovery.readBack(connection);
    assertThat(ledger.unwritten()).isZero();

    new Exchange(Schema.DEFAULT).run(connection, Exchange.Outcomes.NONE, claim);
    recovery.readBack(connection);
    recovery.readBack(connection);
    assertThat(ledger.unwritten()).isEqualTo(1); // given back: this process is not registered
  }
}
