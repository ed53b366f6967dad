package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Landing;
import dev.dibs.NewTask;
import dev.dibs.OnConflict;
import dev.dibs.Priority;
import dev.dibs.Unique;
import dev.dibs.sql.InsertUniqueTasks.Landed;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rows that go in by the function do as those that go in by the statements. */
@Timeout(60)
class EnqueueTasksTest {
  private static final String SECRET = "s3cr3t-canary";
  private static final Kind<Json> KIND = Kind.json("k");

  private final TestDatabase db = TestDatabase.create();
  private final TestDatabase other = TestDatabase.create();
  private final Session session = Session.on(db);
  private final Session theirs = Session.on(other);
  private final EnqueueTasks enqueue = new EnqueueTasks(Schema.DEFAULT);
  private final InsertTasks insert = new InsertTasks(Schema.DEFAULT);
  private final InsertUniqueTasks insertUnique = new InsertUniqueTasks(Schema.DEFAULT);

  @AfterEach
  void drop() throws SQLException {
    session.close();
    theirs.close();
    db.close();
    other.close();
  }

  private static InsertTasks.Row row(NewTask<Json> task) {
    return new InsertTasks.Row(
        task.id(), task.kind().name(), task.payload().text(), null, task.options());
  }

  /** As the producer does it with the right to insert. */
  private Map<UUID, Landed> insert(Connection connection, List<InsertTasks.Row> rows)
      throws SQLException {
    List<InsertTasks.Row> plain = new ArrayList<>();
    List<InsertTasks.Row> unique = new ArrayList<>();
    for (InsertTasks.Row row : rows) (row.options().unique().isEmpty() ? plain : unique).add(row);
    connection.setAutoCommit(false);
    Set<UUID> inserted = insert.insert(connection, plain);
    Map<UUID, Landed> landed = new HashMap<>(insertUnique.insert(connection, unique));
    connection.commit();
    connection.setAutoCommit(true);
    for (InsertTasks.Row row : plain) {
      boolean isNew = inserted.contains(row.id());
      landed.put(row.id(), new Landed(row.id(), isNew ? Landing.INSERTED : Landing.ALREADY_THERE));
    }
    return landed;
  }

  private static Unique unique(Random random) {
    // A window's key is never brought without one: what that one meets is not the point here.
    Unique window = Unique.by("w" + random.nextInt(4)).forAtLeast(Duration.ofHours(1));
    Unique key = Unique.by("u" + random.nextInt(8));
    var policies = OnConflict.values();
    return switch (random.nextInt(4)) {
      case 0 -> window.onConflict(random.nextBoolean() ? OnConflict.KEEP : OnConflict.REJECT);
      case 1 -> key.untilStarted().onConflict(policies[random.nextInt(policies.length)]);
      default -> key.onConflict(policies[random.nextInt(policies.length)]);
    };
  }

  private static NewTask<Json> task(Random random, int payload) {
    NewTask<Json> task =
        KIND.task(new Json("{\"n\": " + payload + "}"))
            .queue(random.nextBoolean() ? "q" : "Q")
            .priority(List.of(Priority.values()).get(random.nextInt(4)))
            .maxAttempts(1 + random.nextInt(30));
    if (random.nextInt(3) == 0) task = task.delay(Duration.ofMinutes(random.nextInt(90)));
    if (random.nextInt(6) == 0) task = task.runAt(Instant.parse("2099-01-01T00:00:00.000007Z"));
    if (random.nextInt(4) == 0) task = task.timeout(Duration.ofMillis(1 + random.nextInt(9_000)));
    return random.nextInt(3) == 0 ? task : task.unique(unique(random));
  }

  /** The two go in one after the other, so a delay counts from its row and in whole minutes. */
  private static final String ROWS =
      "select id, queue, kind, priority, status, attempt, max_attempts, timeout, payload, headers, unique_key, unique_hold,"
          + " case when run_at > '2098-01-01' then run_at::text else trunc(extract(epoch from run_at - created_at) / 60)::text end"
          + " from dibs.task order by id, queue";

  @Test
  void rowsOfEveryKind_landAlike() throws SQLException {
    long seed = System.nanoTime();
    var random = new Random(seed);
    List<NewTask<Json>> before = new ArrayList<>();
    for (int round = 0; round < 150; round++) {
      List<NewTask<Json>> tasks = new ArrayList<>();
      // One that comes again comes alone: beside another of its key the statements may call it
      // kept.
      if (!before.isEmpty() && random.nextInt(3) == 0)
        tasks.add(before.get(random.nextInt(before.size())));
      else for (int n = random.nextInt(1, 12); n > 0; n--) tasks.add(task(random, round * 100 + n));
      before.addAll(tasks);
      List<InsertTasks.Row> rows = tasks.stream().map(EnqueueTasksTest::row).toList();
      assertThat(enqueue.enqueue(session.connection(), rows))
          .as("seed %d, round %d", seed, round)
          .isEqualTo(insert(theirs.connection(), rows));
      assertThat(session.rows(ROWS)).as("seed %d", seed).isEqualTo(theirs.rows(ROWS));
      for (Session each : List.of(session, theirs)) {
        each.execute(
            "update dibs.task set status = 'PROCESSING', attempt = 1, lease = gen_random_uuid(), worker_id = gen_random_uuid()"
                + " where attempt = 0 and hashtext(id::text) % 4 = "
                + round % 4);
        each.execute("delete from dibs.task where hashtext(id::text) % 5 = " + round % 5);
        if (round % 20 == 0) each.execute("update dibs.unique_window set until = now()");
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "kinds => '{NULL}' | a kind name must have 1 to 128 characters",
        "queues => '{\"\"}' | a queue name must have 1 to 128 characters, '' has 0",
        "queues => array[E'a\\nb'] | must not hold control characters",
        "priorities => '{9}' | priority must be 1 (urgent) to 4 (low), was 9",
        "max_attempts => '{0}' | max_attempts must be at least 1, was 0",
        "timeouts => '{-7}' | timeout must be between 1 ms and 36,000 days",
        "delays => '{9000000000000000}' | delay must be at most 100 years",
        "run_ats => '{infinity}' | run_at must lie before the year 10000",
        "headers => '{[1]}' | headers must be an object of strings",
        "unique_keys => '{\"\"}' | a unique key must have 1 to 255 characters",
        "unique_untils => '{soon}' | unique_until must be finished or started",
        "on_conflicts => '{fight}' | on_conflict must be keep, replace, replace-payload, postpone or reject"
      })
  void whatIsWrong_isRefusedWithTheReason(String argument, String reason) throws SQLException {
    String name = argument.substring(0, argument.indexOf(' '));
    String rest =
        String.join(
            ", ",
            Stream.of(
                    "ids => null",
                    "queues => '{q}'",
                    "kinds => '{k}'",
                    "priorities => null",
                    "max_attempts => null",
                    "headers => null",
                    "delays => null",
                    "run_ats => null",
                    "timeouts => null",
                    "unique_keys => null",
                    "unique_untils => null",
                    "windows => null",
                    "on_conflicts => null")
                .filter(each -> !each.startsWith(name + " "))
                .toList());
    String said =
        session.refused(
            "22023",
            "select dibs.enqueue_rows(payloads => array['\"%s\"'], again => false, %s, %s)"
                .formatted(SECRET, argument, rest));
    assertThat(said).contains(reason).doesNotContain(SECRET);
    assertThat(session.value("select count(*) from dibs.task")).isEqualTo("0");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "22P02 | {\"a\": s3cr3t-canary}",
        "22P05 | \"s3cr3t-canary\\u0000\"",
        "22P02 | {\"s3cr3t-canary\": [1, }"
      })
  void whatIsNoJson_isRefusedAndNotShown(String state, String text) {
    String call =
        "select dibs.enqueue_rows(null, '{q,q}', '{k,k}', null, null, array['1', %s], array['{}', %s], null, null, null, null, null, null, null, false)";
    for (String sql : List.of(call.formatted("?", "'{}'"), call.formatted("'1'", "?")))
      assertThat(session.refused(state, sql, text))
          .contains("payloads and headers must be JSON that jsonb can keep")
          .doesNotContain(SECRET);
  }

  @Test
  void whatIsTooLarge_isRefusedWithItsSizeAsItWasSent() throws SQLException {
    String call =
        "select dibs.enqueue_rows(null, null, '{k}', null, null, array[?], null, null, null, null, null, null, null, null, false)";
    // As jsonb writes it, with a space behind each comma, it is longer.
    String largest = "[" + "1,".repeat(131_070) + "12]";
    session.execute(call, largest);
    assertThat(session.refused("22023", call, "[1," + largest.substring(1)))
        .contains("a payload of kind 'k' has 262146 bytes, at most 262144 are taken")
        .doesNotContain("1,1");
  }

  @ParameterizedTest
  @CsvSource({
    "999, keep",
    "-1, reject",
    "316224000000001, keep",
    "1000000, replace",
    "9223372036854775807, keep"
  })
  void aWindowThatCannotBe_isRefused(long micros, String policy) {
    assertThat(
            session.refused(
                "22023",
                "select dibs.enqueue_rows(null, '{q}', '{k}', null, null, null, null, null, null, null, '{u}', null, array[?::bigint], array[?], false)",
                micros,
                policy))
        .contains("must last 1 ms to 3,660 days and goes with keep or reject, was");
  }

  @Test
  void oneThatIsWrong_leavesNoneOfItsCall() throws SQLException {
    session.refused(
        "22023",
        "select dibs.enqueue_rows(null, '{q,q}', array['k', repeat('x', 129)], null, null, null, null, null, null, null, null, null, null, null, false)");
    assertThat(session.value("select count(*) from dibs.task")).isEqualTo("0");
    assertThat(
            session.rows(
                "select * from dibs.enqueue_rows(null, null, null, null, null, null, null, null, null, null, null, null, null, null, true)"))
        .isEmpty();
  }
}
