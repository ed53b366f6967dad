package dev.dibs.producer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.Codec;
import dev.dibs.DatabaseException;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import dev.dibs.Text;
import dev.dibs.sql.Schema;
import dev.dibs.testing.OddInputs;
import dev.dibs.testing.TestDatabase;
import dev.dibs.testing.TestRoles;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Whatever a caller hands in is kept as it is, or refused with the reason, without a trace and
 * without harm to anything else.
 */
@Timeout(120)
class OddTasksTest {
  record Letter(String text, Map<String, String> more) {}

  private static final Kind<Json> PLAIN = Kind.json("plain");
  private static final int LONGEST_REASON = 1_000;

  private final OddInputs odd = new OddInputs();
  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final CoalescingProducer coalescing = CoalescingProducer.on(db.dataSource());
  private final Connection connection = db.connectTested();
  private long expected;

  @BeforeEach
  void note() {
    db.execute("create table note (round integer)");
  }

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    coalescing.close();
    producer.close();
    db.close();
  }

  private static List<NewTask<Json>> neighbours(int count) {
    List<NewTask<Json>> neighbours = new ArrayList<>();
    for (int i = 0; i < count; i++) neighbours.add(PLAIN.task(new Json("{\"n\": " + i + "}")));
    return neighbours;
  }

  /** What {@code made} makes; empty if it is refused, which must say why. */
  private <T> Optional<T> unlessRefused(Supplier<T> made) {
    try {
      return Optional.of(made.get());
    } catch (IllegalArgumentException | PayloadException e) {
      assertThat(e.getMessage()).as(odd.toString()).isNotBlank().hasSizeLessThan(LONGEST_REASON);
      return Optional.empty();
    }
  }

  private NewTask<?> draw() {
    String name = odd.text();
    NewTask<?> task =
        odd.flips()
            ? unlessRefused(() -> Kind.of(name, Letter.class))
                .orElse(Kind.of("letter", Letter.class))
                .task(new Letter(odd.text(), odd.texts()))
            : unlessRefused(() -> Kind.json(name)).orElse(PLAIN).task(new Json(odd.json()));
    return furnish(task);
  }

  private <T> NewTask<T> furnish(NewTask<T> plain) {
    NewTask<T> task = plain;
    for (int i = odd.below(4); i > 0; i--) {
      NewTask<T> before = task;
      Supplier<NewTask<T>> furnished =
          switch (odd.below(6)) {
            case 0 -> () -> before.queue(odd.text());
            case 1 -> () -> before.delay(odd.duration());
            case 2 -> () -> before.runAt(odd.instant());
            case 3 -> () -> before.timeout(odd.duration());
            case 4 -> () -> before.maxAttempts(odd.number());
            default -> () -> before.header(odd.text(), odd.text());
          };
      task = unlessRefused(furnished).orElse(before);
    }
    return task;
  }

  @Test
  void anOddTask_isKeptAsItIsOrRefusedWithAReasonAndNoTrace() throws SQLException {
    for (int round = 0; round < OddInputs.rounds(250); round++) {
      NewTask<?> task = draw();
      List<NewTask<?>> all = new ArrayList<>(neighbours(odd.oneOf(List.of(0, 0, 3))));
      if (round % 40 == 0) all.addAll(neighbours(ManyTasks.COPY_FROM));
      all.add(odd.below(all.size() + 1), task);
      boolean kept = odd.flips() ? enqueue(all) : enqueueInTransaction(all, round);
      if (kept) expected += all.size();
      check(task, kept);
    }
  }

  private boolean enqueue(List<NewTask<?>> all) {
    return unlessRefused(() -> producer.enqueue(all)).isPresent();
  }

  /** The caller's own writes before and after live, whatever becomes of the tasks. */
  private boolean enqueueInTransaction(List<NewTask<?>> all, int round) throws SQLException {
    connection.setAutoCommit(false);
    write(round);
    boolean kept = unlessRefused(() -> producer.enqueue(connection, all)).isPresent();
    write(round);
    connection.commit();
    assertThat(db.number("select count(*) from note where round = ?", round)).isEqualTo(2);
    return kept;
  }

  private void write(int round) throws SQLException {
    try (var statement = connection.prepareStatement("insert into note values (?)")) {
      statement.setInt(1, round);
      statement.executeUpdate();
    }
  }

  @Test
  void anOddTaskAmongOthersThatGoAlong_harmsNone() {
    for (int round = 0; round < OddInputs.rounds(60); round++) {
      List<NewTask<Json>> neighbours = neighbours(5);
      NewTask<?> task = draw();
      List<CompletableFuture<Enqueued>> answers = new ArrayList<>();
      for (NewTask<?> neighbour : neighbours.subList(0, 2))
        answers.add(coalescing.enqueue(neighbour));
      CompletableFuture<Enqueued> answer = coalescing.enqueue(task);
      for (NewTask<?> neighbour : neighbours.subList(2, 5))
        answers.add(coalescing.enqueue(neighbour));
      boolean kept = unlessRefused(() -> join(answer)).isPresent();
      assertThat(answers).allSatisfy(other -> assertThat(join(other).inserted()).isTrue());
      expected += kept ? 6 : 5;
      check(task, kept);
    }
  }

  private static <T> T join(CompletableFuture<T> answer) {
    try {
      return answer.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException refused) throw refused;
      throw e;
    }
  }

  private void check(NewTask<?> task, boolean isKept) {
    assertThat(db.number("select count(*) from dibs.task")).as(odd.toString()).isEqualTo(expected);
    String there = "select count(*) from dibs.task where id = ?";
    assertThat(db.number(there, task.id())).isEqualTo(isKept ? 1 : 0);
    if (!isKept) return;
    String same =
        there
            + " and queue = ? and kind = ? and max_attempts = ? and isfinite(run_at) and created_at <= run_at";
    assertThat(
            db.number(
                same,
                task.id(),
                task.options().queue(),
                task.kind().name(),
                task.options().maxAttempts()))
        .as(odd.toString())
        .isEqualTo(1);
    checkJson(task.id(), "headers", task.options().headers());
    if (task.payload() instanceof Json(String text)) {
      assertThat(db.number(there + " and payload = ?::jsonb", task.id(), text)).isEqualTo(1);
      // What was taken can be read: as a tree, so that every number in it is looked at.
      String kept = value(task.id(), "payload");
      if (!kept.equals("null")) Codec.jackson().decode(kept, Object.class);
    } else {
      checkJson(task.id(), "payload", task.payload());
    }
  }

  private void checkJson(UUID id, String column, Object kept) {
    @Nullable String json = db.value("select " + column + " from dibs.task where id = ?", id);
    Class<?> type = kept instanceof Letter ? Letter.class : Object.class;
    Object read = json == null ? Map.of() : Codec.jackson().decode(json, type);
    assertThat(read).as(odd.toString()).isEqualTo(kept);
  }

  private String value(UUID id, String column) {
    return String.valueOf(db.value("select " + column + " from dibs.task where id = ?", id));
  }

  /** The function has a cap of its own, whatever the producer's settings say. */
  @Test
  void tenMillionCharacters_areRefusedToWhoMayOnlyEnqueue() {
    try (TestRoles roles = new TestRoles();
        Producer narrow =
            Producer.on(
                roles.user("producer"),
                ProducerSettings.DEFAULT
                    .withSchema(roles.schema())
                    .withMaxPayloadBytes(16 << 20))) {
      String text = "s3cr3t".repeat(100_000);
      assertThatThrownBy(() -> narrow.enqueue(PLAIN.task(new Json('"' + text + '"'))))
          .isInstanceOf(DatabaseException.class)
          .hasMessageContaining("kind 'plain' has 600002 bytes, at most 262144 are taken")
          .hasMessageNotContaining("s3cr3t");
    }
  }

  @Test
  void tenMillionCharacters_areKeptWhereTheSettingsAllowIt() throws SQLException {
    var settings = ProducerSettings.DEFAULT.withMaxPayloadBytes(16 << 20);
    String text = "x".repeat(10_000_000);
    Kind<Letter> kind = Kind.of("letter", Letter.class);
    List<NewTask<?>> many = new ArrayList<>(neighbours(ManyTasks.COPY_FROM));
    try (Producer large = Producer.on(db.workerDataSource(), settings);
        Connection worker = db.connectWorker();
        CoalescingProducer coalescing =
            CoalescingProducer.on(
                db.workerDataSource(), CoalescingSettings.DEFAULT.withProducer(settings))) {
      large.enqueue(kind.task(new Letter(text, Map.of())));
      large.enqueue(worker, kind.task(new Letter(text, Map.of())).delay(Duration.ofDays(1)));
      many.add(kind.task(new Letter(text, Map.of())));
      large.enqueue(many);
      coalescing.enqueue(kind.task(new Letter(text, Map.of()))).join();
      NewTask<Letter> larger = kind.task(new Letter(OddInputs.tenMillion(), Map.of()));
      assertThatThrownBy(() -> large.enqueue(larger))
          .isInstanceOf(PayloadException.class)
          .hasMessageContaining("at most 16777216");
    }
    assertThat(db.number("select count(*) from dibs.task where payload ->> 'text' = ?", text))
        .isEqualTo(4);
  }

  @Test
  void aRefusal_saysWhatTheLimitIs() {
    for (var json :
        Map.of(
                OddInputs.nested(100_000),
                "500",
                "[1" + "0".repeat(2_000) + "]",
                "1000",
                "{\"" + "k".repeat(60_000) + "\": 1}",
                "50000",
                "1e1000",
                "number",
                "{\"a\": 1, \"a\": 2}",
                "twice")
            .entrySet()) {
      assertThatThrownBy(() -> producer.enqueue(PLAIN.task(new Json(json.getKey()))))
          .isInstanceOf(PayloadException.class)
          .hasMessageContaining(json.getValue());
    }
    assertThat(db.number("select count(*) from dibs.task")).isZero();
  }

  @Test
  void headersWithoutMeasure_areRefused() {
    NewTask<Json> task = neighbours(1).getFirst().header("trace", "x".repeat(10_000_000));
    for (Supplier<?> way :
        List.<Supplier<?>>of(() -> producer.enqueue(task), () -> join(coalescing.enqueue(task))))
      assertThatThrownBy(way::get)
          .isInstanceOf(PayloadException.class)
          .hasMessageContaining("headers")
          .hasMessageContaining("at most");
    assertThat(db.number("select count(*) from dibs.task")).isZero();
  }

  @Test
  void anOddReason_cancelsAndIsKeptAsFarAsItCanBe() {
    Canceller canceller = Canceller.on(db.workerDataSource());
    for (int round = 0; round < OddInputs.rounds(60); round++) {
      String reason = round == 0 ? OddInputs.tenMillion() : odd.text();
      NewTask<Json> task = neighbours(1).getFirst();
      producer.enqueue(task);
      assertThat(canceller.cancel(task.id(), reason)).isPresent();
      String kept =
          "select errors -> 0 ->> 'message' from dibs.task_history where status = 'CANCELLED' and id = ?";
      assertThat(db.value(kept, task.id()))
          .as(odd.toString())
          .isEqualTo(Text.cut(Text.storable(reason), 8 << 10));
    }
  }

  @Test
  void oddSettings_workOrAreRefusedWithAReason() {
    for (int round = 0; round < OddInputs.rounds(300); round++) {
      String name = odd.text();
      Duration duration = odd.duration();
      Optional<Schema> schema = unlessRefused(() -> new Schema(name));
      assertThat(schema.map(s -> s.channel().length()).orElse(1)).isBetween(1, 63);
      Optional<ProducerSettings> settings =
          unlessRefused(() -> ProducerSettings.DEFAULT.withBellInterval(duration));
      settings.ifPresent(s -> Producer.on(db.dataSource(), s).close());
      Optional<CoalescingSettings> others =
          unlessRefused(() -> CoalescingSettings.DEFAULT.withPatience(duration));
      others.ifPresent(s -> CoalescingProducer.on(db.dataSource(), s).close());
    }
    unlessRefused(() -> new Schema(OddInputs.tenMillion()));
    unlessRefused(() -> Kind.json(OddInputs.tenMillion()));
    unlessRefused(() -> dev.dibs.Priority.parse(OddInputs.tenMillion()));
  }
}
