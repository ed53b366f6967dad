package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Many enqueue the same few keys under every policy while others claim and finish. A trigger that
 * is not the code under test writes down what became of each row.
 */
@Timeout(120)
class FunctionRaceTest {
  private static final int ENQUEUERS = 16;
  private static final int WORKERS = 4;
  private static final int ROUNDS = 60;
  private static final int KEYS = 50;
  private static final int BATCH = 8;
  private static final List<String> POLICIES =
      List.of("keep", "replace", "replace-payload", "postpone", "reject");

  /** What an enqueue was answered. */
  private record Answer(String id, String landing, String payload) {}

  /** What a worker was given. */
  private record Run(String id, String payload) {}

  private final TestDatabase db = TestDatabase.create();
  private final AtomicInteger payloads = new AtomicInteger();
  private final AtomicInteger enqueuing = new AtomicInteger(ENQUEUERS);
  private final Queue<Answer> answers = new ConcurrentLinkedQueue<>();
  private final Queue<Run> runs = new ConcurrentLinkedQueue<>();

  @AfterEach
  void drop() {
    db.close();
  }

  private Boolean enqueue(int seed) throws SQLException {
    var random = new Random(seed);
    try (Session session = Session.on(db)) {
      for (int round = 0; round < ROUNDS; round++) {
        List<String> payload = new ArrayList<>();
        String tasks =
            IntStream.range(0, round % 2 == 0 ? 1 : BATCH)
                .mapToObj(n -> {
                  payload.add(Integer.toString(payloads.incrementAndGet()));
                  return "{\"kind\":\"k\",\"queue\":\"q\",\"payload\":%s,\"uniqueKey\":\"u%d\",\"onConflict\":\"%s\",\"uniqueUntil\":\"%s\"}"
                      .formatted(
                          payload.getLast(),
                          random.nextInt(KEYS),
                          POLICIES.get(random.nextInt(POLICIES.size())),
                          random.nextInt(4) == 0 ? "started" : "finished");
                })
                .collect(Collectors.joining(",", "[", "]"));
        for (var row :
            session.rows("select ordinal, id, landing from dibs.enqueue_many(?::jsonb)", tasks)) {
          int n = Integer.parseInt(String.valueOf(row.get(0))) - 1;
          answers.add(
              new Answer(String.valueOf(row.get(1)), String.valueOf(row.get(2)), payload.get(n)));
        }
      }
    } finally {
      enqueuing.decrementAndGet();
    }
    return true;
  }

  /** Works until everybody has enqueued and nothing is left. */
  private Boolean work(int seed) throws SQLException {
    var random = new Random(seed);
    try (Session session = Session.on(db)) {
      String worker = session.value("select dibs.register('h', 1, '{q}', '{k}')");
      while (true) {
        boolean last = enqueuing.get() == 0;
        var claimed =
            session.rows(
                "select id, lease, payload from dibs.claim(?::uuid, '{q}', '{k}', 5)", worker);
        for (var row : claimed) {
          runs.add(new Run(String.valueOf(row.get(0)), String.valueOf(row.get(2))));
          boolean again = random.nextInt(4) == 0;
          assertThat(
                  session.value(
                      "select dibs.finish(?::uuid, ?::uuid, "
                          + (again ? "'retry', '0')" : "'succeeded')"),
                      row.get(0),
                      row.get(1)))
              .isEqualTo("t");
        }
        if (last && claimed.isEmpty()) return true;
      }
    }
  }

  @Test
  void keysAreHeldByOneTaskAndNothingThatWasTakenIsLost() throws Exception {
    db.execute(
        """
        create table public.audit (n bigint generated always as identity, id uuid, key text, payload text, was text);
        create function public.audit() returns trigger language plpgsql security definer as $$
        begin
          if tg_op = 'INSERT' then
            insert into public.audit (id, key, payload) values (new.id, new.unique_key, new.payload);
          elsif new.payload <> old.payload then
            insert into public.audit (id, key, payload, was) values (new.id, new.unique_key, new.payload, old.status);
          end if;
          return new;
        end $$;
        create trigger audit after insert or update on dibs.task for each row execute function public.audit()\
        """);
    List<Callable<Boolean>> all = new ArrayList<>();
    for (int i = 0; i < ENQUEUERS; i++) {
      int seed = i;
      all.add(() -> enqueue(seed));
    }
    for (int i = 0; i < WORKERS; i++) {
      int seed = -1 - i;
      all.add(() -> work(seed));
    }
    try (var threads = Executors.newFixedThreadPool(ENQUEUERS + WORKERS)) {
      // Also that nobody was ended by a deadlock, or gave up.
      for (Future<Boolean> done : threads.invokeAll(all)) assertThat(done.get()).isTrue();
    }
    assertThat(answers).hasSize(ENQUEUERS * (ROUNDS / 2) * (1 + BATCH));
    assertThat(answers.stream().map(Answer::landing).distinct())
        .contains("INSERTED", "KEPT", "REJECTED", "REPLACED", "POSTPONED");
    assertThat(db.number("select count(*) from dibs.task")).isZero();
    assertAnswersAreTrue();
    assertLastPayloadsRan();
    assertThat(db.number("select count(*) from public.audit where was = 'PROCESSING'")).isZero();
  }

  /** What was said to be taken is in the row that was named, and what was not is in none. */
  private void assertAnswersAreTrue() throws SQLException {
    Map<String, String> audited = new HashMap<>();
    try (Session session = Session.on(db)) {
      for (var row : session.rows("select payload, id from public.audit")) {
        assertThat(audited.put(String.valueOf(row.get(0)), String.valueOf(row.get(1)))).isNull();
      }
    }
    for (Answer answer : answers) {
      switch (answer.landing()) {
        case "INSERTED", "REPLACED" ->
            assertThat(audited.get(answer.payload())).as(answer.toString()).isEqualTo(answer.id());
        default -> assertThat(audited.get(answer.payload())).as(answer.toString()).isNull();
      }
    }
  }

  /** The last run of each task had the payload that was put into it last. */
  private void assertLastPayloadsRan() throws SQLException {
    Map<String, String> ran = new HashMap<>();
    runs.forEach(run -> ran.put(run.id(), run.payload()));
    try (Session session = Session.on(db)) {
      var last =
          session.rows("select distinct on (id) id, payload from public.audit order by id, n desc");
      assertThat(last).isNotEmpty();
      for (var row : last)
        assertThat(ran.get(String.valueOf(row.get(0)))).isEqualTo(String.valueOf(row.get(1)));
    }
  }

  /** Two batches of the same keys in other orders, again and again, never wait crosswise. */
  @Test
  void batchesInAnyOrder_doNotDeadlock() throws Exception {
    List<Callable<Boolean>> all = new ArrayList<>();
    for (int i = 0; i < ENQUEUERS; i++) {
      var random = new Random(i);
      all.add(() -> {
        try (Session session = Session.on(db)) {
          for (int round = 0; round < 20; round++) {
            List<Integer> keys = new ArrayList<>(IntStream.range(0, KEYS).boxed().toList());
            java.util.Collections.shuffle(keys, random);
            String tasks =
                keys.stream()
                    .map(
                        "{\"kind\":\"k\",\"uniqueKey\":\"u%d\",\"onConflict\":\"replace\"}"
                            ::formatted)
                    .collect(Collectors.joining(",", "[", "]"));
            session.execute("select dibs.enqueue_many(?::jsonb)", tasks);
          }
        }
        return true;
      });
    }
    try (var threads = Executors.newFixedThreadPool(ENQUEUERS)) {
      for (Future<Boolean> done : threads.invokeAll(all)) assertThat(done.get()).isTrue();
    }
    assertThat(db.number("select count(*) from dibs.task")).isEqualTo(KEYS);
  }
}
