package dev.dibs.worker;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Outcome;
import dev.dibs.Text;
import dev.dibs.producer.Producer;
import dev.dibs.testing.OddInputs;
import dev.dibs.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever a handler answers or throws ends its task, and its neighbours' not otherwise. */
@Timeout(120)
class OddOutcomesTest {
  record Numbered(int number) {}

  record Letter(String text, Map<String, String> more) {}

  private static final Kind<Numbered> NUMBERED = Kind.of("numbered", Numbered.class);
  private static final Kind<Letter> LETTER = Kind.of("letter", Letter.class);
  private static final int MESSAGE_KEPT = 8 << 10;
  private static final Duration SOON = ofSeconds(5);

  /**
   * What a handler does in its first run, and what must come of it.
   *
   * @param message what is kept with the task; null: that does not matter
   */
  private record Deed(TaskHandler<Numbered> does, String status, @Nullable String message) {}

  private final OddInputs odd = new OddInputs();
  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());

  @AfterEach
  void drop() {
    producer.close();
    db.close();
  }

  private static boolean isWait(Duration wait) {
    return !wait.isNegative() && wait.compareTo(Outcome.LONGEST_WAIT) <= 0;
  }

  private Deed draw() {
    String text = odd.text();
    Duration wait = odd.duration();
    String refused = isWait(wait) ? text : null;
    return switch (odd.below(9)) {
      case 0 -> new Deed((payload, task) -> Outcome.retry(text), "DEAD", text);
      case 1 -> new Deed((payload, task) -> Outcome.retry(wait, text), "DEAD", refused);
      case 2 -> new Deed((payload, task) -> Outcome.cancel(text), "CANCELLED", text);
      case 3 -> new Deed((payload, task) -> Outcome.dead(text), "DEAD", text);
      case 4 -> throwing(new IllegalStateException(text), text);
      case 5 -> throwing(new AssertionError(text), text);
      case 6 ->
          new Deed(
              (payload, task) -> task.attempt() == 1 ? Outcome.snooze(wait) : Outcome.done(),
              !isWait(wait) ? "DEAD" : wait.compareTo(SOON) > 0 ? "SCHEDULED" : "SUCCEEDED",
              null);
      case 7 ->
          new Deed(
              (payload, task) -> {
                task.transaction(tx -> {
                  throw new SQLException(text, text);
                });
                return Outcome.done();
              },
              "DEAD",
              text);
      default -> new Deed((payload, task) -> Outcome.done(), "SUCCEEDED", null);
    };
  }

  private static Deed throwing(Throwable thrown, @Nullable String message) {
    return new Deed(
        (payload, task) -> {
          if (thrown instanceof Error error) throw error;
          throw (Exception) thrown;
        },
        "DEAD",
        message);
  }

  /** Those that no dice would throw. */
  private static List<Deed> oddest() {
    var circle = new IllegalStateException("round");
    circle.initCause(new IllegalStateException("and round", circle));
    Exception deep = new Exception("bottom");
    for (int i = 0; i < 100_000; i++) deep = new Exception("deep", deep);
    var silent =
        new IllegalStateException("never told") {
          @Override
          public String getMessage() {
            throw new IllegalStateException("no");
          }
        };
    return List.of(
        throwing(circle, "round"),
        throwing(deep, "deep"),
        throwing(silent, silent.getClass().getName()),
        throwing(new IllegalStateException(), "null"),
        throwing(new IllegalStateException(OddInputs.tenMillion()), OddInputs.tenMillion()),
        throwing(new StackOverflowError("over"), "over"),
        throwing(new OutOfMemoryError("out"), "out"),
        throwing(new LinkageError("link"), "link"),
        new Deed(
            (payload, task) -> Outcome.cancel(OddInputs.tenMillion()),
            "CANCELLED",
            OddInputs.tenMillion()));
  }

  @Test
  void anOddOutcome_endsItsTaskAndTellsWhatItCan() {
    List<Deed> deeds = new ArrayList<>(oddest());
    for (int i = 0; i < OddInputs.rounds(400); i++) deeds.add(draw());
    List<NewTask<Numbered>> tasks = new ArrayList<>();
    for (int i = 0; i < deeds.size(); i++) tasks.add(NUMBERED.task(new Numbered(i)).maxAttempts(1));
    producer.enqueue(tasks);
    try (Worker worker =
        Worker.on(db.dataSource())
            .queue("default", 16)
            .handle(
                NUMBERED,
                (payload, task) -> deeds.get(payload.number()).does().handle(payload, task))
            .start()) {
      await()
          .atMost(ofSeconds(60))
          .until(() ->
              worker.isReady()
                  && db.number(
                          "select count(*) from dibs.task where run_at < now() + interval '1 hour'")
                      == 0);
    }
    for (int i = 0; i < deeds.size(); i++) check(tasks.get(i).id(), deeds.get(i));
  }

  private void check(UUID id, Deed deed) {
    String status =
        db.value(
            "select coalesce((select status from dibs.task where id = ?), (select status from dibs.task_history where id = ?))",
            id,
            id);
    @Nullable String message =
        db.value("select errors -> -1 ->> 'message' from dibs.task_history where id = ?", id);
    assertThat(status).as("%s, %s", odd, message).isEqualTo(deed.status());
    if (deed.message() != null)
      assertThat(message)
          .as(odd.toString())
          .isEqualTo(Text.cut(Text.storable(deed.message()), MESSAGE_KEPT));
  }

  /** What a producer took reaches a handler as it was. */
  @Test
  void anOddTask_reachesItsHandlerAsItWas() {
    Map<UUID, NewTask<Letter>> sent = new java.util.HashMap<>();
    for (int i = 0; i < OddInputs.rounds(200); i++) {
      NewTask<Letter> task =
          LETTER
              .task(new Letter(Text.storable(odd.text()), storable(odd.texts())))
              .header(Text.storable(odd.text()), Text.storable(odd.text()))
              .maxAttempts(1);
      sent.put(task.id(), task);
    }
    producer.enqueue(sent.values());
    try (Worker worker =
        Worker.on(db.dataSource())
            .queue("default", 16)
            .handle(
                LETTER,
                (letter, task) -> {
                  NewTask<Letter> was = java.util.Objects.requireNonNull(sent.get(task.id()));
                  assertThat(letter).isEqualTo(was.payload());
                  assertThat(task.headers()).isEqualTo(was.options().headers());
                  return Outcome.done();
                })
            .start()) {
      await()
          .atMost(ofSeconds(60))
          .until(() -> worker.isReady() && db.number("select count(*) from dibs.task") == 0);
    }
    assertThat(db.finished("SUCCEEDED")).as(odd.toString()).isEqualTo(sent.size());
  }

  private static Map<String, String> storable(Map<String, String> texts) {
    Map<String, String> storable = new java.util.HashMap<>();
    texts.forEach((name, value) -> storable.put(Text.storable(name), Text.storable(value)));
    return storable;
  }

  @Test
  void aQueueThatNoTaskCouldBeIn_isNotServed() {
    for (String name : List.of("", "a\0b", "\ud800", "x".repeat(129)))
      assertThatThrownBy(() -> Worker.on(db.dataSource()).queue(name, 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("queue name");
  }

  @Test
  void oddSettings_areRefusedOrStopInTime() {
    for (int round = 0; round < OddInputs.rounds(100); round++) {
      Duration wait = odd.duration();
      for (var with :
          List.<java.util.function.UnaryOperator<WorkerSettings>>of(
              s -> s.withLease(wait),
              s -> s.withPollInterval(wait),
              s -> s.withDrainTimeout(wait),
              s -> s.withInterruptGrace(wait)))
        try {
          assertThat(with.apply(WorkerSettings.DEFAULT)).isNotNull();
        } catch (IllegalArgumentException e) {
          assertThat(e).hasMessageContaining(wait.toString());
        }
    }
    Worker worker =
        Worker.on(db.dataSource())
            .queue("default", 1)
            .handle(NUMBERED, (payload, task) -> Outcome.done())
            .start();
    worker.stop(ofSeconds(Long.MAX_VALUE));
  }
}
