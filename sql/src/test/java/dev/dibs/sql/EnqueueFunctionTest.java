package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code enqueue} and {@code enqueue_many} for tasks without a key. */
class EnqueueFunctionTest {
  private static final String SECRET = "s3cr3t-canary";

  private final TestDatabase db = TestDatabase.create();
  private final Session session = Session.on(db);

  @AfterEach
  void drop() throws SQLException {
    session.close();
    db.close();
  }

  @Test
  void enqueue_takesAKindAndDefaults() throws SQLException {
    String id = session.value("select dibs.enqueue('mail')");
    assertThat(
            session.rows(
                "select id, kind, payload, queue, priority, status, attempt, max_attempts, timeout, headers, unique_key,"
                    + " unique_hold, run_at = created_at from dibs.task"))
        .containsExactly(
            java.util.Arrays.asList(
                id, "mail", "{}", "default", "3", "PENDING", "0", "25", null, null, null, "f",
                "t"));
  }

  @Test
  void enqueue_takesAllThatATaskMaySay() throws SQLException {
    String id = UUID.randomUUID().toString();
    String made =
        session.value(
            """
            select dibs.enqueue('mail', '{"to": 7}', queue => 'q', priority => 1, delay => '5 minutes', max_attempts => 3,
              timeout => '30 s', headers => '{"trace": "abc"}', unique_key => 'k', unique_until => 'started', id => ?::uuid)\
            """,
            id);
    assertThat(made).isEqualTo(id);
    assertThat(
            session.rows(
                "select kind, payload, queue, priority, status, max_attempts, timeout, headers, unique_key, unique_hold,"
                    + " run_at - created_at from dibs.task"))
        .containsExactly(
            List.of(
                "mail",
                "{\"to\": 7}",
                "q",
                "1",
                "SCHEDULED",
                "3",
                "00:00:30",
                "{\"trace\": \"abc\"}",
                "k",
                "f",
                "00:05:00"));
  }

  @Test
  void enqueue_takesANullForADefault() throws SQLException {
    session.execute(
        "select dibs.enqueue('mail', null, null, null, null, null, null, null, null, null, null, null, null)");
    assertThat(session.rows("select payload, queue, priority, max_attempts from dibs.task"))
        .containsExactly(List.of("{}", "default", "3", "25"));
  }

  @ParameterizedTest
  @CsvSource({
    "delay => '-1 hour', PENDING",
    "delay => '0', PENDING",
    "delay => '1 hour', SCHEDULED",
    "run_at => '2001-01-01Z', PENDING",
    "run_at => '2999-01-01Z', SCHEDULED"
  })
  void enqueue_waitsForWhatLiesAheadOnly(String when, String status) throws SQLException {
    session.execute("select dibs.enqueue('mail', " + when + ")");
    assertThat(session.value("select status from dibs.task")).isEqualTo(status);
    assertThat(session.value("select bool_and(run_at >= created_at) from dibs.task"))
        .isEqualTo("t");
  }

  @Test
  void enqueue_leavesATaskWhoseIdIsThere() throws SQLException {
    String sql = "select dibs.enqueue('mail', ?::jsonb, id => ?::uuid)";
    String id = UUID.randomUUID().toString();
    assertThat(session.value(sql, "1", id)).isEqualTo(id);
    assertThat(session.value(sql, "2", id)).isEqualTo(id);
    assertThat(session.rows("select payload from dibs.task")).containsExactly(List.of("1"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "select dibs.enqueue('mail', queue => 'b', id => ID)",
        "select dibs.enqueue('mail', queue => 'b', id => ID, unique_key => 'k')",
        "select dibs.enqueue('mail', queue => 'b', id => ID, unique_key => 'k', on_conflict => 'replace')",
        "select dibs.enqueue_many(concat('[{\"kind\": \"mail\"}, {\"kind\": \"mail\", \"queue\": \"b\", \"id\": \"', ID, '\"}]')::jsonb)",
        "select dibs.enqueue_rows(array[ID], '{b}', '{mail}', null, null, null, null, null, null, null, null, null, null, null, true)"
      })
  void anId_thatNamesATaskOfAnotherQueue_isRefused(String sql) throws SQLException {
    String id = session.value("select dibs.enqueue('mail', queue => 'a')");
    assertThat(session.refused("22023", sql.replace("ID", "'" + id + "'::uuid")))
        .startsWith(
            "id %s names a task of queue 'a' already, so none of queue 'b' can have it; give each an id of its own"
                .formatted(id));
    assertThat(db.tasks("PENDING")).isEqualTo(1);
  }

  @Test
  void anId_isRefusedForTwoQueuesInOneCall() throws SQLException {
    String id = UUID.randomUUID().toString();
    String item = "{\"kind\":\"mail\",\"queue\":\"%s\",\"id\":\"%s\"}";
    String fan = "[" + item.formatted("b", id) + "," + item.formatted("a", id) + "]";
    String said = "id %s is given to tasks of the queues 'a' and 'b'; give each an id of its own";
    assertThat(session.refused("22023", "select dibs.enqueue_many(?::jsonb)", fan))
        .startsWith(said.formatted(id));
    assertThat(
            session.refused(
                "22023",
                "select dibs.enqueue_rows(array[i, i], '{b,a}', '{k,k}', null, null, null, null, null, null, null, null, null, null, null, false)"
                    + " from (select ?::uuid as i) x",
                id))
        .startsWith(said.formatted(id));
    assertThat(
            session.refused(
                "22023",
                "select dibs.enqueue('mail', queue => q, id => ?::uuid) from unnest('{a,b}'::text[]) q",
                id))
        .contains("'a'", "'b'");
    assertThat(db.tasks("PENDING")).isZero();
  }

  @Test
  void ids_areOfVersion7AndRise() throws SQLException {
    session.execute("select dibs.enqueue('mail') from generate_series(1, 50)");
    var rows = session.rows("select id, id::text ~ '^.{14}7.{4}[89ab]' from dibs.task order by id");
    assertThat(rows).hasSize(50).allMatch(row -> "t".equals(row.get(1)));
    assertThat(
            session.value(
                "select count(*) from dibs.task where abs(extract(epoch from now()) * 1000"
                    + " - ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint) > 60000"))
        .isEqualTo("0");
    long rising =
        db.number(
            "select count(*) from (select id > lag(id) over (order by position) as rose from dibs.task) t where rose");
    assertThat(rising).isGreaterThan(40); // within a microsecond chance decides
  }

  @Test
  void enqueue_ringsOncePerQueueWhenItCommits() throws SQLException {
    try (Session listener = Session.on(db)) {
      listener.execute("listen dibs");
      session.connection().setAutoCommit(false);
      session.execute("select dibs.enqueue('mail', queue => 'a') from generate_series(1, 20)");
      session.execute(
          "select dibs.enqueue_many(jsonb_agg(jsonb_build_object('kind', 'mail', 'queue', 'b'))) from generate_series(1, 20)");
      assertThat(listener.heard()).isEmpty();
      session.connection().commit();
      assertThat(listener.heard()).containsExactlyInAnyOrder("a", "b");
    }
  }

  @Test
  void enqueue_doesNotRingForNothing() throws SQLException {
    String id = session.value("select dibs.enqueue('mail', queue => 'a', unique_key => 'k')");
    try (Session listener = Session.on(db)) {
      listener.execute("listen dibs");
      session.execute("select dibs.enqueue('mail', queue => 'a', id => ?::uuid)", id);
      session.execute("select dibs.enqueue('mail', queue => 'a', unique_key => 'k')");
      session.execute(
          "select dibs.enqueue_many('[{\"kind\": \"mail\", \"queue\": \"a\", \"uniqueKey\": \"k\"}]')");
      assertThat(listener.heard()).isEmpty();
    }
  }

  @Test
  void payloads_areTakenUpTo256KiB() throws SQLException {
    session.execute("select dibs.enqueue('k', to_jsonb(repeat('x', 262142)))");
    assertThat(session.refused("22023", "select dibs.enqueue('k', to_jsonb(repeat('x', 262143)))"))
        .contains(
            "a payload of kind 'k' has 262145 bytes, at most 262144 are taken; keep large data elsewhere and enqueue a reference to it");
  }

  /** Whatever is wrong with a task, what it carries is in no part of what the server says. */
  @Test
  void refusals_neverShowThePayload() throws SQLException {
    String payload = "jsonb_build_object('card', '" + SECRET + "' || repeat('x', %d))";
    String headers = "headers => jsonb_build_object('h', '" + SECRET + "')";
    for (String wrong :
        List.of(
            "''",
            "'k', %s, queue => ''",
            "'k', %s, priority => 9",
            "'k', %s, max_attempts => -1",
            "'k', %s, timeout => '-1 s'",
            "'k', %s, timeout => '1000 years'",
            "'k', %s, delay => '1000 years'",
            "'k', %s, run_at => 'infinity'",
            "'k', %s, unique_key => ''",
            "'k', %s, on_conflict => ''")) {
      String arguments = wrong.replace("%s", payload.formatted(1) + ", " + headers);
      assertThat(session.refused("22023", "select dibs.enqueue(" + arguments + ")"))
          .doesNotContain(SECRET);
    }
    session.refused("22023", "select dibs.enqueue('k', " + payload.formatted(262144) + ")");
    session.execute("select dibs.enqueue('k', unique_key => 'u')");
    assertThat(
            session.refused(
                "23505",
                "select dibs.enqueue('k', "
                    + payload.formatted(1)
                    + ", unique_key => 'u', on_conflict => 'reject')"))
        .doesNotContain(SECRET);
    for (String wrong :
        List.of(
            "{\"queue\": \"q\", \"payload\": \"%s\"}",
            "{\"kind\": \"k\", \"payload\": \"%s\", \"priority\": 9}",
            "{\"kind\": \"k\", \"payload\": \"%s\", \"delay\": \"soon\"}",
            "{\"kind\": \"k\", \"payload\": \"%s\", \"pay\": \"load\"}",
            "{\"kind\": \"k\", \"payload\": \"%s\", \"headers\": {\"a\": 1}}",
            "{\"kind\": \"k\", \"payload\": \"%s\", \"maxAttempts\": 0}",
            "\"%s\"",
            "[\"%s\"]")) {
      String tasks = "[" + wrong.formatted(SECRET) + "]";
      assertThat(session.refused("22023", "select dibs.enqueue_many(?::jsonb)", tasks))
          .startsWith("task 1: ")
          .doesNotContain(SECRET);
    }
  }

  @Test
  void enqueueMany_takesObjectsAsFilesOfTasksHaveThem() throws SQLException {
    String id = UUID.randomUUID().toString();
    String tasks =
        """
        [{"kind": "a"},
         {"kind": "b", "payload": [1, 2], "queue": "q", "priority": "high", "delay": "1h30m", "maxAttempts": 4,
          "timeout": "PT5M", "headers": {"trace": "x"}, "id": "%s"},
         {"kind": "c", "payload": null, "runAt": "2999-01-31T02:30:00+01:00", "priority": 4},
         {"kind": "d", "id": "%s", "queue": "q"}]\
        """
            .formatted(id, id);
    var landed =
        session.rows("select ordinal, landing from dibs.enqueue_many(?::jsonb)", tasks).stream()
            .map(row -> row.get(0) + " " + row.get(1))
            .toList();
    assertThat(landed).containsExactly("1 INSERTED", "2 INSERTED", "3 INSERTED", "4 ALREADY_THERE");
    assertThat(
            session.rows(
                "select kind, payload, queue, priority, status, max_attempts, coalesce(timeout::text, '-'),"
                    + " coalesce(headers::text, '-'), case kind when 'b' then run_at - created_at end from dibs.task order by kind"))
        .containsExactly(
            java.util.Arrays.asList("a", "{}", "default", "3", "PENDING", "25", "-", "-", null),
            List.of(
                "b",
                "[1, 2]",
                "q",
                "2",
                "SCHEDULED",
                "4",
                "00:05:00",
                "{\"trace\": \"x\"}",
                "01:30:00"),
            java.util.Arrays.asList(
                "c", "null", "default", "4", "SCHEDULED", "25", "-", "-", null));
  }

  @Test
  void enqueueMany_takesThousandsInOneStatementAndNone() throws SQLException {
    assertThat(session.rows("select * from dibs.enqueue_many('[]')")).isEmpty();
    String tasks =
        IntStream.range(0, 5_000)
            .mapToObj(n -> "{\"kind\":\"k\",\"payload\":{\"n\":" + n + "},\"queue\":\"q\"}")
            .collect(Collectors.joining(",", "[", "]"));
    assertThat(
            session.rows(
                "select count(*), count(distinct id), min(ordinal), max(ordinal), max(landing) from dibs.enqueue_many(?::jsonb)",
                tasks))
        .containsExactly(List.of("5000", "5000", "1", "5000", "INSERTED"));
    assertThat(session.value("select count(distinct payload) from dibs.task")).isEqualTo("5000");
    assertThat(
            session.value(
                "select bool_and(rose) from (select (payload -> 'n')::int > lag((payload -> 'n')::int) over (order by position) as rose from dibs.task) t"))
        .isEqualTo("t");
  }

  @Test
  void aTrigger_enqueuesInTheTransactionOfTheRow() throws SQLException {
    session.execute(
        """
        create table orders (id bigint primary key);
        create function enqueue_invoice() returns trigger language plpgsql as $$
        begin
          perform dibs.enqueue('send-invoice', jsonb_build_object('orderId', new.id), queue => 'mail');
          return new;
        end $$;
        create trigger invoice after insert on orders for each row execute function enqueue_invoice()\
        """);
    session.connection().setAutoCommit(false);
    session.execute("insert into orders values (1)");
    session.connection().rollback();
    session.execute("insert into orders values (2), (3)");
    session.connection().commit();
    assertThat(session.rows("select payload ->> 'orderId' from dibs.task order by 1"))
        .containsExactly(List.of("2"), List.of("3"));
  }
}
