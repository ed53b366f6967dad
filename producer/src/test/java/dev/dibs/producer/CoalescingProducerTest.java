package dev.dibs.producer;

import static java.time.Duration.ofDays;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.EnqueueUnknownException;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;

@Timeout(120)
class CoalescingProducerTest {
  private static final Kind<Json> KIND = Kind.json("k");
  private static final CoalescingSettings ONE_COMMIT =
      CoalescingSettings.DEFAULT.withCommitsInFlight(1);

  private final TestDatabase db = TestDatabase.create();

  @AfterEach
  void drop() {
    db.close();
  }

  private CoalescingProducer producer(CoalescingSettings settings) {
    return CoalescingProducer.on(db.dataSource(), settings);
  }

  private static NewTask<Json> task(int number) {
    return KIND.task(new Json("{\"n\": " + number + "}")).queue("q");
  }

  private static List<CompletableFuture<Enqueued>> enqueue(CoalescingProducer producer, int count) {
    List<CompletableFuture<Enqueued>> answers = new ArrayList<>();
    for (int i = 0; i < count; i++) answers.add(producer.enqueue(task(i)));
    return answers;
  }

  private static void join(List<CompletableFuture<Enqueued>> answers) {
    CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new)).join();
  }

  /** Holds up commits until it is closed. */
  private Connection lockedTable() throws SQLException {
    Connection connection = db.connect();
    connection.setAutoCommit(false);
    connection.createStatement().execute("lock table dibs.task in exclusive mode");
    return connection;
  }

  private void awaitBlockedCommits(int count) {
    await()
        .atMost(ofSeconds(20))
        .until(() ->
            db.number(
                    """
                    select count(*) from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock'\
                    """)
                == count);
  }

  private int terminateOthers(String condition) {
    return (int)
        db.number(
            """
            select count(pg_terminate_backend(pid)) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and %s\
            """
                .formatted(condition));
  }

  @Test
  void enqueue_of64ThreadsIsThereOnceBeforeItIsAnswered() throws InterruptedException {
    int threads = 64;
    int each = 200;
    long total = 12_800;
    var missing = new AtomicInteger();
    var answers = new ConcurrentLinkedQueue<Enqueued>();
    try (var producer = producer(CoalescingSettings.DEFAULT)) {
      inThreads(
          threads,
          thread -> {
            try (Connection connection = db.connect();
                PreparedStatement seek =
                    connection.prepareStatement("select 1 from dibs.task where id = ?")) {
              for (int i = 0; i < each; i++) {
                producer
                    .enqueue(task(i))
                    .thenAccept(enqueued -> {
                      if (!isThere(seek, enqueued.id())) missing.incrementAndGet();
                      answers.add(enqueued);
                    })
                    .join();
              }
            } catch (SQLException e) {
              throw new IllegalStateException(e);
            }
          });
    }
    assertThat(missing).hasValue(0);
    assertThat(answers).hasSize((int) total).doesNotHaveDuplicates();
    assertThat(answers).allMatch(Enqueued::inserted);
    assertThat(db.tasks("PENDING")).isEqualTo(total);
    assertThat(db.number("select count(distinct xmin::text) from dibs.task")).isLessThan(total / 4);
  }

  private static boolean isThere(PreparedStatement seek, UUID id) {
    try {
      seek.setObject(1, id);
      try (var rows = seek.executeQuery()) {
        return rows.next();
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void inThreads(int count, java.util.function.IntConsumer work)
      throws InterruptedException {
    var go = new CountDownLatch(1);
    Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int number = i;
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                try {
                  go.await();
                  work.accept(number);
                } catch (Throwable e) {
                  failures.add(e);
                }
              }));
    }
    go.countDown();
    for (Thread thread : threads) thread.join();
    assertThat(failures).isEmpty();
  }

  @Test
  void enqueue_goesAlongWithWhateverCameWhileACommitWasUnderWay() throws SQLException {
    try (var producer = producer(ONE_COMMIT)) {
      List<CompletableFuture<Enqueued>> answers;
      try (Connection lock = lockedTable()) {
        answers = enqueue(producer, 1);
        awaitBlockedCommits(1);
        answers.addAll(enqueue(producer, 500));
        assertThat(answers).noneMatch(CompletableFuture::isDone);
        lock.rollback();
      }
      join(answers);
    }
    assertThat(db.number("select count(distinct xmin::text) from dibs.task")).isEqualTo(2);
    assertThat(db.tasks("PENDING")).isEqualTo(501);
  }

  @Test
  void enqueue_goesPastALargeCommitThatHangs() throws SQLException {
    NewTask<Json> contested = task(-1);
    try (var producer = producer(CoalescingSettings.DEFAULT);
        var plain = Producer.on(db.dataSource());
        Connection other = db.connect()) {
      other.setAutoCommit(false);
      plain.enqueue(other, contested);
      other.createStatement().execute("savepoint before_lock");
      other.createStatement().execute("lock table dibs.task in exclusive mode");
      var first = enqueue(producer, 1);
      awaitBlockedCommits(1);
      first.addAll(enqueue(producer, 1));
      awaitBlockedCommits(2);
      var stuck = enqueue(producer, 99);
      stuck.add(producer.enqueue(contested));
      other.createStatement().execute("rollback to savepoint before_lock");
      join(first);
      awaitBlockedCommits(1);
      assertThat(producer.enqueue(task(1))).succeedsWithin(ofSeconds(20));
      assertThat(stuck).noneMatch(CompletableFuture::isDone);
      other.rollback();
      join(stuck);
    }
    assertThat(db.tasks("PENDING")).isEqualTo(103);
  }

  @Test
  void enqueue_ofAPayloadThatCannotBeKeptFailsAlone() {
    try (var producer = producer(CoalescingSettings.DEFAULT)) {
      var good = producer.enqueue(task(1));
      var bad = producer.enqueue(KIND.task(new Json("{")));
      var alsoGood = producer.enqueue(task(2));
      assertThat(bad)
          .failsWithin(ofSeconds(20))
          .withThrowableThat()
          .withCauseInstanceOf(PayloadException.class);
      join(List.of(good, alsoGood));
    }
    assertThat(db.tasks("PENDING")).isEqualTo(2);
  }

  @Test
  void enqueue_ofARowTheDatabaseRefusesFailsAlone() throws SQLException {
    db.execute("alter table dibs.task add check (payload <> '{\"n\": -1}')");
    try (var producer = producer(ONE_COMMIT)) {
      List<CompletableFuture<Enqueued>> good;
      CompletableFuture<Enqueued> bad;
      try (Connection lock = lockedTable()) {
        good = enqueue(producer, 250);
        bad = producer.enqueue(task(-1));
        good.addAll(enqueue(producer, 250));
        lock.rollback();
      }
      join(good);
      assertThat(bad)
          .failsWithin(ofSeconds(20))
          .withThrowableThat()
          .havingCause()
          .isExactlyInstanceOf(DatabaseException.class)
          .withMessageContaining("1 task(s)");
    }
    assertThat(db.tasks("PENDING")).isEqualTo(500);
  }

  @Test
  void enqueue_withoutATableFailsForAll() {
    db.execute("drop table dibs.task cascade");
    try (var producer = producer(CoalescingSettings.DEFAULT)) {
      for (var answer : enqueue(producer, 50)) {
        assertThat(answer)
            .failsWithin(ofSeconds(20))
            .withThrowableThat()
            .withCauseExactlyInstanceOf(DatabaseException.class);
      }
    }
  }

  @Test
  void enqueue_ofTheSameTaskByTwoIsInsertedByOne() throws SQLException {
    NewTask<Json> task = task(1);
    try (var producer = producer(ONE_COMMIT)) {
      List<CompletableFuture<Enqueued>> answers;
      try (Connection lock = lockedTable()) {
        answers = enqueue(producer, 1);
        awaitBlockedCommits(1);
        answers.add(producer.enqueue(task));
        answers.add(producer.enqueue(task));
        lock.rollback();
      }
      join(answers);
      assertThat(answers.stream().map(CompletableFuture::join).map(Enqueued::inserted))
          .containsExactly(true, true, false);
      assertThat(producer.enqueue(task).join().inserted()).isFalse();
    }
    assertThat(db.tasks("PENDING")).isEqualTo(2);
  }

  @Test
  void enqueue_isUnknownToExactlyThoseWhoseConnectionBroke() throws SQLException {
    try (var producer = producer(ONE_COMMIT)) {
      NewTask<Json> first = task(1);
      CompletableFuture<Enqueued> cut;
      List<CompletableFuture<Enqueued>> later;
      try (Connection lock = lockedTable()) {
        cut = producer.enqueue(first);
        awaitBlockedCommits(1);
        later = enqueue(producer, 100);
        long session = blockedSession(0);
        assertThat(terminateOthers("wait_event_type = 'Lock'")).isEqualTo(1);
        long repetition = blockedSession(session); // it is tried once more on another connection
        assertThat(terminateOthers("pid = " + repetition)).isEqualTo(1);
        assertThat(cut)
            .failsWithin(ofSeconds(20))
            .withThrowableThat()
            .withCauseInstanceOf(EnqueueUnknownException.class);
        lock.rollback();
      }
      join(later);
      assertThat(producer.enqueue(first).join().inserted()).isTrue();
    }
    assertThat(db.tasks("PENDING")).isEqualTo(101);
  }

  /** The session that waits for a lock, once it is another than {@code before}. */
  private long blockedSession(long before) {
    String blocked =
        "select coalesce(max(pid), 0) from pg_stat_activity where datname = current_database()"
            + " and wait_event_type = 'Lock' and pid <> ?";
    await().atMost(ofSeconds(10)).until(() -> db.number(blocked, before) > 0);
    return db.number(blocked, before);
  }

  @Test
  void enqueue_losesNothingAcknowledgedWhileConnectionsAreCut() throws InterruptedException {
    Set<UUID> acknowledged = java.util.concurrent.ConcurrentHashMap.newKeySet();
    var cuts = new AtomicInteger();
    var done = new AtomicBoolean();
    int threads = 16;
    int each = 150;
    long total = 2_400;
    try (var producer = producer(CoalescingSettings.DEFAULT)) {
      Thread cutter =
          Thread.ofPlatform()
              .start(() -> {
                // Not of every session: what is tried once more must come through at last.
                while (!done.get())
                  cuts.addAndGet(
                      terminateOthers(
                          "query similar to 'insert%|%enqueue_rows[(]%' and state = 'active' and mod(pid, 3) = 0"));
              });
      inThreads(
          threads,
          thread -> {
            for (int i = 0; i < each; i++) acknowledged.add(enqueueUntilKnown(producer, task(i)));
          });
      done.set(true);
      cutter.join();
    }
    assertThat(cuts).hasPositiveValue();
    assertThat(acknowledged).hasSize((int) total);
    assertThat(db.tasks("PENDING")).isEqualTo(total);
  }

  private static UUID enqueueUntilKnown(CoalescingProducer producer, NewTask<?> task) {
    while (true) {
      try {
        return producer.enqueue(task).join().id();
      } catch (java.util.concurrent.CompletionException e) {
        assertThat(e).hasCauseInstanceOf(DatabaseException.class);
      }
    }
  }

  @Test
  void answers_mayEnqueueAndWait() {
    try (var producer = producer(ONE_COMMIT.withCapacity(1))) {
      producer.enqueue(task(1)).thenRun(() -> producer.enqueue(task(2)).join()).join();
    }
    assertThat(db.tasks("PENDING")).isEqualTo(2);
  }

  @Test
  void enqueue_waitsForAPlaceAndFailsWhenPatienceEnds() throws Exception {
    try (var producer = producer(ONE_COMMIT.withCapacity(2).withPatience(ofMillis(200)))) {
      List<CompletableFuture<Enqueued>> answers;
      try (Connection lock = lockedTable()) {
        answers = enqueue(producer, 1);
        awaitBlockedCommits(1);
        answers.addAll(enqueue(producer, 2));
        assertThat(producer.enqueue(task(9)))
            .failsWithin(Duration.ZERO)
            .withThrowableThat()
            .havingCause()
            .isExactlyInstanceOf(DibsException.class)
            .withMessageContaining("2 tasks have been waiting for the database for PT0.2S");
        lock.rollback();
      }
      join(answers);
      producer.enqueue(task(10)).join();
    }
    assertThat(db.tasks("PENDING")).isEqualTo(4);
  }

  @Test
  void enqueue_thatWaitsForAPlaceGoesOnWhenOneIsFree() throws Exception {
    try (var producer = producer(ONE_COMMIT.withCapacity(1))) {
      CompletableFuture<CompletableFuture<Enqueued>> blocked = new CompletableFuture<>();
      Thread caller;
      try (Connection lock = lockedTable()) {
        enqueue(producer, 1);
        awaitBlockedCommits(1);
        enqueue(producer, 1);
        caller = Thread.ofPlatform().start(() -> blocked.complete(producer.enqueue(task(3))));
        await().until(() -> caller.getState() == Thread.State.TIMED_WAITING);
        assertThat(blocked).isNotDone();
        lock.rollback();
      }
      blocked.join().join();
    }
    assertThat(db.tasks("PENDING")).isEqualTo(3);
  }

  @Test
  void enqueue_thatIsInterruptedWhileItWaitsForAPlaceFailsAndKeepsTheInterrupt() throws Exception {
    try (var producer = producer(ONE_COMMIT.withCapacity(1));
        Connection lock = lockedTable()) {
      enqueue(producer, 1);
      awaitBlockedCommits(1);
      enqueue(producer, 1);
      Thread.currentThread().interrupt();
      var refused = producer.enqueue(task(3));
      assertThat(Thread.interrupted()).isTrue();
      assertThat(refused)
          .failsWithin(Duration.ZERO)
          .withThrowableThat()
          .withMessageContaining("interrupted");
      lock.rollback();
    }
    assertThat(db.tasks("PENDING")).isEqualTo(2);
  }

  @Test
  void close_commitsWhatWasAcceptedAndThenRefuses() {
    var producer = producer(CoalescingSettings.DEFAULT);
    var answers = enqueue(producer, 5_000);
    producer.close();
    assertThat(answers).allMatch(CompletableFuture::isDone);
    join(answers);
    assertThat(db.tasks("PENDING")).isEqualTo(5_000);
    assertThat(producer.enqueue(task(1)))
        .failsWithin(Duration.ZERO)
        .withThrowableThat()
        .havingCause()
        .isInstanceOf(IllegalStateException.class)
        .withMessageContaining("closed");
    producer.close();
  }

  @Test
  void close_leavesNoThreadAndNoConnection() {
    var producer = producer(CoalescingSettings.DEFAULT);
    join(enqueue(producer, 100));
    producer.close();
    await()
        .atMost(ofSeconds(20))
        .until(() ->
            Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().startsWith("dibs-commit")));
    await()
        .atMost(ofSeconds(20))
        .until(() ->
            db.number(
                    "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'")
                == 0);
  }

  @Test
  void close_failsWhatHasNotBegunWhenPatienceEnds() throws SQLException {
    var producer = producer(ONE_COMMIT.withPatience(ofMillis(200)));
    CompletableFuture<Enqueued> begun;
    List<CompletableFuture<Enqueued>> waiting;
    try (Connection lock = lockedTable()) {
      begun = producer.enqueue(task(1));
      awaitBlockedCommits(1);
      waiting = enqueue(producer, 10);
      producer.close();
      for (var answer : waiting) {
        assertThat(answer)
            .failsWithin(Duration.ZERO)
            .withThrowableThat()
            .havingCause()
            .isExactlyInstanceOf(DibsException.class)
            .withMessageContaining("was not enqueued");
      }
      assertThat(begun).isNotDone();
      lock.rollback();
    }
    assertThat(begun.join().inserted()).isTrue();
    assertThat(db.tasks("PENDING")).isEqualTo(1);
  }

  @Test
  void bell_ringsForEachQueueAfterTheCommit() throws SQLException {
    try (Connection listener = db.connect();
        var producer = producer(CoalescingSettings.DEFAULT)) {
      listener.createStatement().execute("listen dibs");
      join(List.of(producer.enqueue(task(1)), producer.enqueue(task(2).queue("other"))));
      Set<String> heard = new HashSet<>();
      await()
          .atMost(ofSeconds(20))
          .until(() -> {
            var bells = listener.unwrap(PGConnection.class).getNotifications(100);
            if (bells != null) for (var bell : bells) heard.add(bell.getParameter());
            return heard.equals(Set.of("q", "other"));
          });
    }
  }

  @Test
  void settings_areRefusedWithTheValueThatDoesNotFit() {
    var settings = CoalescingSettings.DEFAULT;
    assertThatThrownBy(() -> settings.withLargestBatch(0)).hasMessageContaining("was 0");
    assertThatThrownBy(() -> settings.withCommitsInFlight(65)).hasMessageContaining("was 65");
    assertThatThrownBy(() -> settings.withCapacity(-1)).hasMessageContaining("was -1");
    assertThatThrownBy(() -> settings.withPatience(ofDays(2))).hasMessageContaining("PT48H");
  }
}
