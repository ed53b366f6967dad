package dev.dibs.producer;

import static dev.dibs.Landing.ALREADY_THERE;
import static dev.dibs.Landing.INSERTED;
import static dev.dibs.Landing.KEPT;
import static dev.dibs.Landing.REJECTED;
import static dev.dibs.Landing.REPLACED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.OnConflict;
import dev.dibs.PayloadException;
import dev.dibs.Unique;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Unique tasks on all ways in: alone, in a transaction, coalesced, and in bulk. */
@Timeout(60)
class UniqueTest {
  record Order(long order, String region, String note) {}

  private static final Kind<Order> SHIP = Kind.of("ship", Order.class);

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());

  @AfterEach
  void drop() {
    producer.close();
    db.close();
  }

  private static NewTask<Order> ship(long order, String note) {
    return SHIP.task(new Order(order, "north", note)).queue("q");
  }

  private static NewTask<Json> task(String key, int payload) {
    return Kind.json("k").task(new Json(String.valueOf(payload))).queue("q").unique(key);
  }

  @Test
  void aSecondTaskOfAKey_isAnsweredWithTheFirst() {
    NewTask<Json> first = task("a", 1);
    assertThat(producer.enqueue(first)).isEqualTo(new Enqueued(first.id(), INSERTED));
    assertThat(producer.enqueue(task("a", 2))).isEqualTo(new Enqueued(first.id(), KEPT));
    assertThat(producer.enqueue(first)).isEqualTo(new Enqueued(first.id(), ALREADY_THERE));
    assertThat(producer.enqueue(task("a", 3).unique(Unique.by("a").onConflict(OnConflict.REJECT))))
        .isEqualTo(new Enqueued(first.id(), REJECTED));
    assertThat(producer.enqueue(task("a", 4).unique(Unique.by("a").onConflict(OnConflict.REPLACE))))
        .isEqualTo(new Enqueued(first.id(), REPLACED));
    assertThat(db.value("select payload from dibs.task")).isEqualTo("4");
  }

  @Test
  void fieldsOfThePayload_makeAKey() {
    Unique unique = Unique.byFields("order", "region");
    NewTask<Order> first = ship(1, "x").unique(unique);
    assertThat(producer.enqueue(first).landing()).isEqualTo(INSERTED);
    assertThat(producer.enqueue(ship(1, "y").unique(unique)))
        .isEqualTo(new Enqueued(first.id(), KEPT));
    assertThat(producer.enqueue(ship(2, "x").unique(unique)).landing()).isEqualTo(INSERTED);
    assertThat(
            producer
                .enqueue(
                    Kind.json("other")
                        .task(new Json("{\"order\":1,\"region\":\"north\"}"))
                        .queue("q")
                        .unique(unique))
                .landing())
        .as("another kind")
        .isEqualTo(INSERTED);
    NewTask<Json> spelled =
        Kind.json("ship")
            .task(new Json("{\"note\":null, \"region\":\"n\\u006frth\", \"order\":1.00}"))
            .queue("q")
            .unique(unique);
    assertThat(producer.enqueue(spelled)).isEqualTo(new Enqueued(first.id(), KEPT));
  }

  @Test
  void aFieldThatThePayloadLacks_makesNoKey() {
    Unique misspelt = Unique.byFields("adress");
    assertThatThrownBy(() -> producer.enqueue(ship(1, "x").unique(misspelt)))
        .isInstanceOf(PayloadException.class)
        .hasMessageContaining("a payload of kind 'ship' has no field 'adress'");
    NewTask<Json> empty =
        Kind.json("k").task(new Json("{\"adress\":null}")).queue("q").unique(misspelt);
    assertThat(producer.enqueue(empty).landing()).isEqualTo(INSERTED);
  }

  @Test
  void aPayloadThatIsNoObject_makesNoKey() {
    NewTask<Json> list =
        Kind.json("k").task(new Json("[1]")).queue("q").unique(Unique.byFields("order"));
    assertThatThrownBy(() -> producer.enqueue(list))
        .isInstanceOf(PayloadException.class)
        .hasMessageContaining("is no JSON object, so its fields make no unique key");
  }

  @Test
  void keysThatCannotBe_areRefused() {
    assertThatThrownBy(() -> Unique.by("")).hasMessageContaining("1 to 255 characters, '' has 0");
    assertThatThrownBy(() -> Unique.by("x".repeat(256))).hasMessageContaining("has 256");
    assertThatThrownBy(() -> Unique.by("a\u0000b")).hasMessageContaining("control characters");
    assertThatThrownBy(Unique::byFields).hasMessageContaining("at least one field");
    assertThatThrownBy(() -> Unique.byFields("a", "a")).hasMessageContaining("twice");
    assertThatThrownBy(() -> Unique.by("a").forAtLeast(Duration.ZERO))
        .hasMessageContaining("1 ms to 3,660 days, was PT0S");
    assertThatThrownBy(
            () -> Unique.by("a").forAtLeast(Duration.ofDays(1)).onConflict(OnConflict.REPLACE))
        .hasMessageContaining("goes with keep or reject, was replace");
  }

  @Test
  void inTheCallersTransaction_aKeyIsTakenAndLetGoWithIt() throws SQLException {
    try (Connection connection = db.connectTested()) {
      connection.setAutoCommit(false);
      assertThat(producer.enqueue(connection, task("a", 1)).landing()).isEqualTo(INSERTED);
      assertThat(producer.enqueue(connection, task("a", 2)).landing()).isEqualTo(KEPT);
      connection.rollback();
    }
    assertThat(producer.enqueue(task("a", 3)).landing()).isEqualTo(INSERTED);
  }

  @Test
  void aCollection_isLandedTaskByTask() {
    NewTask<Json> there = task("a", 1);
    producer.enqueue(there);
    NewTask<Json> windowed = task("w", 2).unique(Unique.by("w").forAtLeast(Duration.ofHours(1)));
    NewTask<Json> plain = Kind.json("k").task(new Json("3")).queue("q");
    NewTask<Json> kept = task("a", 4);
    assertThat(producer.enqueue(List.of(windowed, plain, kept)))
        .containsExactly(
            new Enqueued(windowed.id(), INSERTED),
            new Enqueued(plain.id(), INSERTED),
            new Enqueued(there.id(), KEPT));
    assertThat(
            producer.enqueue(List.of(windowed.unique(windowed.options().unique().orElseThrow()))))
        .containsExactly(new Enqueued(windowed.id(), ALREADY_THERE));
  }

  @Test
  void manyTasks_areCopiedOrLandedOneByOne() throws SQLException {
    List<NewTask<Json>> tasks = IntStream.range(0, 1_500).mapToObj(n -> task("k" + n, n)).toList();
    assertThat(producer.enqueue(tasks)).allMatch(Enqueued::inserted);
    assertThat(db.number("select count(*) from dibs.task where unique_hold")).isEqualTo(1_500);

    List<NewTask<Json>> others = new ArrayList<>();
    for (int n = 1_000; n < 2_500; n++)
      others.add(
          task("k" + n, -n)
              .unique(
                  Unique.by("k" + n)
                      .onConflict(n % 2 == 0 ? OnConflict.REPLACE : OnConflict.KEEP)));
    others.add(Kind.json("k").task(new Json("7")).queue("q"));
    try (Connection connection = db.connectTested()) {
      connection.setAutoCommit(false);
      List<Enqueued> answers = producer.enqueue(connection, others);
      connection.commit();
      for (int i = 0; i < 500; i++)
        assertThat(answers.get(i))
            .isEqualTo(
                new Enqueued(tasks.get(1_000 + i).id(), (1_000 + i) % 2 == 0 ? REPLACED : KEPT));
      assertThat(answers.subList(500, 1_501)).allMatch(Enqueued::inserted);
    }
    assertThat(db.number("select count(*) from dibs.task")).isEqualTo(2_501);
    assertThat(
            db.number("select count(*) from dibs.task where unique_key = 'k' || abs(payload::int)"))
        .isEqualTo(2_500);
  }

  @Test
  void manyTasksUntilStarted_areCopiedAsSuch() {
    producer.enqueue(
        IntStream.range(0, 1_000)
            .mapToObj(n -> task("k", n).unique(Unique.by("k" + n).untilStarted()))
            .toList());
    assertThat(
            db.number(
                "select count(*) from dibs.task where not unique_hold and unique_key is not null"))
        .isEqualTo(1_000);
  }

  @Test
  void coalescedCallersOfOneKey_areAnsweredWithOneTask() {
    try (var coalescing = CoalescingProducer.on(db.dataSource())) {
      List<CompletableFuture<Enqueued>> answers = new ArrayList<>();
      for (int n = 0; n < 500; n++) answers.add(coalescing.enqueue(task("k" + n % 5, n)));
      List<Enqueued> landed = answers.stream().map(CompletableFuture::join).toList();
      assertThat(landed).filteredOn(Enqueued::inserted).hasSize(5);
      assertThat(landed.stream().map(Enqueued::id).distinct()).hasSize(5);
      NewTask<Json> twice = task("twice", 1);
      var first = coalescing.enqueue(twice);
      var second = coalescing.enqueue(twice);
      assertThat(List.of(first.join().landing(), second.join().landing()))
          .containsExactlyInAnyOrder(INSERTED, ALREADY_THERE);
    }
    assertThat(db.number("select count(*) from dibs.task")).isEqualTo(6);
  }

  @Test
  void manyThreadsThatBringTheSameBulk_landEachKeyOnce() throws Exception {
    Callable<Long> bulk =
        () ->
            producer
                .enqueue(IntStream.range(0, 2_000).mapToObj(n -> task("k" + n, n)).toList())
                .stream()
                .filter(Enqueued::inserted)
                .count();
    long inserted = 0;
    try (var executor = Executors.newFixedThreadPool(8)) {
      for (Future<Long> done : executor.invokeAll(java.util.Collections.nCopies(8, bulk)))
        inserted += done.get();
    }
    assertThat(inserted).isEqualTo(2_000);
    assertThat(db.number("select count(*) from dibs.task")).isEqualTo(2_000);
    assertThat(
            db.number("select deadlocks from pg_stat_database where datname = current_database()"))
        .isZero();
  }
}
