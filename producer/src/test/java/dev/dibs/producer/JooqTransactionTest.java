package dev.dibs.producer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.testing.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jooq.impl.DataSourceConnectionProvider;
import org.jooq.impl.DefaultConfiguration;
import org.jooq.impl.ThreadLocalTransactionProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When workers are told of what was enqueued in jOOQ's transactions. */
@Timeout(60)
class JooqTransactionTest {
  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final Ear ear = new Ear(db);
  private final DSLContext plain = DSL.using(db.dataSource(), SQLDialect.POSTGRES);
  private final DSLContext listening = listening(plain, producer);

  @AfterEach
  void drop() {
    producer.close();
    ear.close();
    db.close();
  }

  private static DSLContext listening(DSLContext dsl, Producer producer) {
    return dsl.configuration().deriveAppending(producer.transactionListener()).dsl();
  }

  private static NewTask<Json> task(String queue) {
    return Kind.json("k").task(new Json("1")).queue(queue);
  }

  private static int session(Configuration configuration) {
    return configuration.dsl().fetchSingle("select pg_backend_pid()").get(0, int.class);
  }

  /** What was rung in all; the producer has no bell waiting any more. */
  private List<String> rungInAll() {
    producer.close();
    return ear.heardQueues();
  }

  @Test
  void bell_ringsAfterTheCommitFromAnotherSession() {
    int session =
        listening.transactionResult(inside -> {
          producer.enqueue(inside, task("q"));
          assertThat(ear.heard()).isEmpty();
          return session(inside);
        });
    assertThat(db.tasks("PENDING")).isEqualTo(1);
    assertThat(ear.next())
        .singleElement()
        .satisfies(ring -> {
          assertThat(ring.queue()).isEqualTo("q");
          assertThat(ring.session()).isNotEqualTo(session);
        });
  }

  @Test
  void bell_goesWithTheCommitWhereNobodyListens() {
    int session =
        plain.transactionResult(inside -> {
          producer.enqueue(inside, task("q"));
          return session(inside);
        });
    assertThat(ear.next()).containsExactly(new Ear.Ring("q", session));
  }

  @Test
  void bell_goesWithTheCommitWhereOnlyAnothersListenerListens() {
    try (Producer other = Producer.on(db.dataSource())) {
      int session =
          listening.transactionResult(inside -> {
            other.enqueue(inside, task("q"));
            return session(inside);
          });
      assertThat(ear.next()).containsExactly(new Ear.Ring("q", session));
    }
  }

  @Test
  void bell_isNotRungForWhatIsRolledBack() {
    assertThatThrownBy(() ->
            listening.transaction(inside -> {
              producer.enqueue(inside, task("q"));
              throw new IllegalStateException("no");
            }))
        .hasMessage("no");
    assertThat(rungInAll()).isEmpty();
    assertThat(db.tasks("PENDING")).isZero();
  }

  @Test
  void bell_isNotRungForWhatANestedTransactionRolledBack() {
    listening.transaction(outer -> {
      producer.enqueue(outer, task("outer"));
      assertThatThrownBy(() ->
              outer
                  .dsl()
                  .transaction(inner -> {
                    producer.enqueue(inner, task("inner"));
                    inner
                        .dsl()
                        .transaction(innermost -> producer.enqueue(innermost, task("innermost")));
                    throw new IllegalStateException("no");
                  }))
          .hasMessage("no");
    });
    assertThat(rungInAll()).containsExactly("outer");
    assertThat(db.value("select string_agg(queue, ' ') from dibs.task")).isEqualTo("outer");
  }

  @Test
  void bell_waitsForTheOutermostCommit() {
    listening.transaction(outer -> {
      outer
          .dsl()
          .transaction(inner -> {
            producer.enqueue(inner, task("inner"));
            inner.dsl().transaction(innermost -> producer.enqueue(innermost, task("innermost")));
          });
      assertThat(ear.heard()).isEmpty();
      producer.enqueue(outer, task("outer"));
    });
    assertThat(rungInAll()).containsExactlyInAnyOrder("inner", "innermost", "outer");
    assertThat(db.tasks("PENDING")).isEqualTo(3);
  }

  @Test
  void bell_isNotRungWhenTheOutermostIsRolledBack() {
    assertThatThrownBy(() ->
            listening.transaction(outer -> {
              outer.dsl().transaction(inner -> producer.enqueue(inner, task("inner")));
              throw new IllegalStateException("no");
            }))
        .hasMessage("no");
    assertThat(rungInAll()).isEmpty();
    assertThat(db.tasks("PENDING")).isZero();
  }

  @Test
  void bell_ringsAtOnceForAConfigurationWhoseTransactionHasEnded() {
    var kept = new AtomicReference<Configuration>(plain.configuration());
    listening.transaction(kept::set);
    producer.enqueue(kept.get(), task("committed"));
    assertThat(ear.heardQueues()).containsExactly("committed");
    assertThatThrownBy(() ->
            listening.transaction(inside -> {
              kept.set(inside);
              throw new IllegalStateException("no");
            }))
        .hasMessage("no");
    producer.enqueue(kept.get(), task("rolled back"));
    assertThat(ear.heardQueues()).containsExactly("rolled back");
    assertThat(db.tasks("PENDING")).isEqualTo(2);
  }

  @Test
  void bells_ofTwoProducersAreRungByBoth() {
    try (Producer other = Producer.on(db.dataSource())) {
      listening(listening, other)
          .transaction(inside -> {
            producer.enqueue(inside, task("one"));
            other.enqueue(inside, task("two"));
            assertThat(ear.heard()).isEmpty();
          });
    }
    assertThat(rungInAll()).containsExactlyInAnyOrder("one", "two");
  }

  @Test
  void bells_ofTransactionsSideBySideAreKeptApart() throws Exception {
    var allAreIn = new CountDownLatch(8);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      int number = i;
      threads.add(
          Thread.ofVirtual()
              .start(() -> {
                try {
                  listening.transaction(inside -> {
                    producer.enqueue(inside, task("q" + number));
                    allAreIn.countDown();
                    allAreIn.await();
                    if (number % 2 == 1) throw new IllegalStateException("no");
                  });
                } catch (IllegalStateException e) {
                  // Its own: it is rolled back.
                }
              }));
    }
    for (Thread thread : threads) thread.join();
    assertThat(rungInAll()).containsExactlyInAnyOrder("q0", "q2", "q4", "q6");
    assertThat(db.tasks("PENDING")).isEqualTo(4);
  }

  /** There the caller has no configuration of the transaction to hand over. */
  @Test
  void bell_goesWithTheCommitOfATransactionThatIsTheThreads() {
    var provider =
        new ThreadLocalTransactionProvider(new DataSourceConnectionProvider(db.dataSource()));
    DSLContext dsl =
        listening(
            DSL.using(new DefaultConfiguration().set(SQLDialect.POSTGRES).set(provider)), producer);
    dsl.transaction(() -> {
      producer.enqueue(dsl.configuration(), task("q"));
      assertThat(ear.heard()).isEmpty();
      assertThat(db.tasks("PENDING")).isZero();
    });
    assertThat(ear.next()).extracting(Ear.Ring::queue).containsExactly("q");
    assertThat(db.tasks("PENDING")).isEqualTo(1);
  }
}
