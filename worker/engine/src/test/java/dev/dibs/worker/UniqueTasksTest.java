package dev.dibs.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.Kind;
import dev.dibs.OnConflict;
import dev.dibs.Outcome;
import dev.dibs.Unique;
import dev.dibs.producer.Enqueued;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Many threads enqueue tasks of the same keys while workers run them. The size is a tenth of what
 * {@code -Ddibs.unique.tasks=100000} tries.
 */
@Timeout(300)
class UniqueTasksTest {
  /** What a task carries: its key, and which of the enqueues of that key it came from. */
  record Update(int key, int version) {}

  private static final Kind<Update> UPDATE = Kind.of("update", Update.class);
  private static final int TASKS = Integer.getInteger("dibs.unique.tasks", 10_000);
  private static final int KEYS = TASKS / 10;
  private static final int THREADS = 64;

  private final TestDatabase db = TestDatabase.create();
  private final HikariDataSource pool = pool(db);
  private final Producer producer = Producer.on(pool);
  private final AtomicInteger runs = new AtomicInteger();
  private final AtomicIntegerArray running = new AtomicIntegerArray(KEYS);
  private final AtomicIntegerArray mostAtOnce = new AtomicIntegerArray(KEYS);
  private final AtomicIntegerArray newest = new AtomicIntegerArray(KEYS);

  private static HikariDataSource pool(TestDatabase db) {
    var config = new HikariConfig();
    config.setJdbcUrl(db.url());
    config.setMaximumPoolSize(THREADS);
    config.setMinimumIdle(0);
    return new HikariDataSource(config);
  }

  @AfterEach
  void drop() {
    producer.close();
    pool.close();
    db.close();
  }

  private Worker worker() {
    return Worker.on(db.dataSource()).queue("q", 16).handle(UPDATE, this::run).start();
  }

  private Outcome run(Update update, RunningTask task) {
    mostAtOnce.accumulateAndGet(update.key(), running.incrementAndGet(update.key()), Math::max);
    newest.accumulateAndGet(update.key(), update.version(), Math::max);
    running.decrementAndGet(update.key());
    runs.incrementAndGet();
    return Outcome.done();
  }

  /** Enqueues all, and answers what became of each. */
  private List<Enqueued> enqueueAll(Unique policy) throws Exception {
    var versions = new AtomicIntegerArray(KEYS);
    Object[] locks = new Object[KEYS];
    for (int i = 0; i < KEYS; i++) locks[i] = new Object();
    Callable<List<Enqueued>> thread =
        () -> {
          List<Enqueued> answers = new ArrayList<>();
          for (int i = 0; i < TASKS / THREADS; i++) {
            int key = ThreadLocalRandom.current().nextInt(KEYS);
            Unique unique = policy.withKey("key-" + key);
            // Of one key one after the other, so that there is a last one; of others at once.
            synchronized (locks[key]) {
              var update = new Update(key, versions.incrementAndGet(key));
              answers.add(producer.enqueue(UPDATE.task(update).queue("q").unique(unique)));
            }
          }
          return answers;
        };
    List<Enqueued> answers = new ArrayList<>();
    try (var executor = Executors.newFixedThreadPool(THREADS)) {
      for (Future<List<Enqueued>> done :
          executor.invokeAll(java.util.Collections.nCopies(THREADS, thread)))
        answers.addAll(done.get());
    }
    lastVersions = versions;
    return answers;
  }

  private AtomicIntegerArray lastVersions = new AtomicIntegerArray(KEYS);

  private void awaitDrained() {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> db.number("select count(*) from dibs.task") == 0);
  }

  private void assertRanAsAnswered(List<Enqueued> answers) {
    long inserted = answers.stream().filter(Enqueued::inserted).count();
    assertThat(inserted).isPositive();
    assertThat(runs).hasValue(Math.toIntExact(inserted));
    assertThat(db.finished("SUCCEEDED")).isEqualTo(inserted);
    assertThat(answers.stream().map(Enqueued::id).distinct().count()).isEqualTo(inserted);
    assertThat(
            db.number("select deadlocks from pg_stat_database where datname = current_database()"))
        .isZero();
  }

  @Test
  void tasksThatHoldTheirKey_runOneAtATimeAndAsOftenAsInserted() throws Exception {
    try (Worker one = worker();
        Worker other = worker()) {
      List<Enqueued> answers = enqueueAll(Unique.by("key"));
      awaitDrained();
      assertRanAsAnswered(answers);
      for (int key = 0; key < KEYS; key++) assertThat(mostAtOnce.get(key)).isLessThan(2);
      assertThat(one.id()).isNotEqualTo(other.id());
    }
  }

  @Test
  void tasksThatReplaceOthers_leaveNoneOfTheNewestOut() throws Exception {
    try (Worker one = worker();
        Worker other = worker()) {
      List<Enqueued> answers =
          enqueueAll(Unique.by("key").untilStarted().onConflict(OnConflict.REPLACE));
      awaitDrained();
      assertRanAsAnswered(answers);
      for (int key = 0; key < KEYS; key++)
        assertThat(newest.get(key)).as("key " + key).isEqualTo(lastVersions.get(key));
      assertThat(one.id()).isNotEqualTo(other.id());
    }
  }

  @Test
  void tasksThatReplaceOrFollowOthers_leaveNoneOfTheNewestOut() throws Exception {
    try (Worker one = worker();
        Worker other = worker()) {
      List<Enqueued> answers = enqueueAll(Unique.by("key").onConflict(OnConflict.REPLACE));
      awaitDrained();
      assertRanAsAnswered(answers);
      for (int key = 0; key < KEYS; key++)
        assertThat(newest.get(key)).as("key " + key).isEqualTo(lastVersions.get(key));
      assertThat(one.id()).isNotEqualTo(other.id());
    }
  }
}
