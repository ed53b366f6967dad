package dev.dibs.app;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import dev.dibs.worker.Worker;
import java.time.Duration;
import java.util.UUID;
import java.util.function.UnaryOperator;

/** A worker with the handlers that options name, on a database of its own. */
final class TestWorker implements AutoCloseable {
  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final LoadedHandlers handlers;
  private final Worker worker;

  TestWorker(HandlerOptions options) {
    handlers = options.load();
    worker = handlers.start(Worker.on(db.dataSource()).queue("default", 16));
  }

  UUID enqueue(String kind, String payload) {
    return enqueue(kind, payload, task -> task);
  }

  UUID enqueue(String kind, String payload, UnaryOperator<NewTask<Json>> options) {
    NewTask<Json> task = options.apply(Kind.json(kind).task(new Json(payload)));
    producer.enqueue(task);
    return task.id();
  }

  TestDatabase db() {
    return db;
  }

  /** Gives handlers no time before they are interrupted. */
  void stop() {
    worker.stop(Duration.ZERO);
  }

  String awaitFinished(UUID id) {
    await().atMost(ofSeconds(20)).pollInterval(ofMillis(10)).until(() -> finished(id) > 0);
    return String.valueOf(db.value("select status::text from dibs.task_history where id = ?", id));
  }

  private long finished(UUID id) {
    return db.number("select count(*) from dibs.task_history where id = ?", id);
  }

  void awaitWaiting(UUID id) {
    await()
        .atMost(ofSeconds(20))
        .pollInterval(ofMillis(10))
        .until(() -> status(id).equals("SCHEDULED"));
  }

  String status(UUID id) {
    return String.valueOf(db.value("select status::text from dibs.task where id = ?", id));
  }

  /** How long until the task comes again. */
  double seconds(UUID id) {
    return Double.parseDouble(
        String.valueOf(
            db.value(
                "select extract(epoch from run_at - clock_timestamp()) from dibs.task where id = ?",
                id)));
  }

  void assertSucceeds(UUID id) {
    assertThat(awaitFinished(id)).isEqualTo("SUCCEEDED");
  }

  /** Waits for the task's death and answers why. */
  String deathOf(UUID id) {
    assertThat(awaitFinished(id)).isEqualTo("DEAD");
    return String.valueOf(
        db.value("select errors -> -1 ->> 'message' from dibs.task_history where id = ?", id));
  }

  /** Waits for a failure and answers why. */
  String failureOf(UUID id) {
    awaitWaiting(id);
    return String.valueOf(
        db.value("select errors -> -1 ->> 'message' from dibs.task where id = ?", id));
  }

  @Override
  public void close() {
    stop();
    handlers.close();
    producer.close();
    db.close();
  }
}
