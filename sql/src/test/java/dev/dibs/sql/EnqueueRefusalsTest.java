package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What {@code enqueue} and {@code enqueue_many} refuse. Nothing is left of it, so one database
 * does.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EnqueueRefusalsTest {
  private final TestDatabase db = TestDatabase.create();
  private final Session session = Session.on(db);

  @AfterAll
  void drop() throws SQLException {
    session.close();
    db.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'' | a kind name must have 1 to 128 characters, '' has 0",
        "null | a kind name must have 1 to 128 characters, NULL has 0",
        "repeat('x', 129) | 1 to 128 characters",
        "E'a\\nb' | must not hold control characters",
        "'k', queue => '' | a queue name must have 1 to 128 characters, '' has 0",
        "'k', queue => repeat('é', 129) | 1 to 128 characters",
        "'k', queue => U&'a\\0085' | must not hold control characters",
        "'k', priority => 0 | priority must be 1 (urgent) to 4 (low), was 0",
        "'k', priority => 5 | was 5",
        "'k', max_attempts => 0 | max_attempts must be at least 1, was 0",
        "'k', timeout => '0' | timeout must be between 1 ms and 36,000 days, was 00:00:00",
        "'k', timeout => '36001 days' | was 36001 days",
        "'k', delay => '1 h', run_at => now() | both delay and run_at are given; give one",
        "'k', delay => '200 years' | delay must be at most 100 years, was 200 years",
        "'k', run_at => 'infinity' | run_at must lie before the year 10000, was infinity",
        "'k', run_at => '-infinity' | run_at must lie before the year 10000, was -infinity",
        "'k', run_at => '12000-01-01Z' | run_at must lie before the year 10000",
        "'k', headers => '[]' | headers must be an object of strings",
        "'k', headers => '{\"a\": 1}' | headers must be an object of strings",
        "'k', headers => '{\"a\": [\"b\"]}' | headers must be an object of strings",
        "'k', headers => jsonb_build_object('a', repeat('x', 262144)) | has 262153 bytes, at most 262144 are taken",
        "'k', unique_key => '' | a unique key must have 1 to 255 characters",
        "'k', unique_key => repeat('x', 256) | a unique key must have 1 to 255 characters",
        "'k', unique_key => E'a\\tb' | a unique key must not hold control characters",
        "'k', unique_until => 'noon' | unique_until must be finished or started, was 'noon'",
        "'k', on_conflict => 'fight' | on_conflict must be keep, replace, replace-payload, postpone or reject, was 'fight'"
      })
  void enqueue_refusesWithTheValueAndTheWayOut(String arguments, String message)
      throws SQLException {
    assertThat(session.refused("22023", "select dibs.enqueue(" + arguments + ")"))
        .contains(message);
    assertThat(session.value("select count(*) from dibs.task")).isEqualTo("0");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | tasks must be an array of objects",
        "[{\"kind\": \"k\"}, 7] | task 2: must be an object with a kind",
        "[{\"queue\": \"q\"}] | task 1: has no kind",
        "[{\"kind\": \"k\", \"prio\": 1}] | task 1: has an unknown field 'prio'; known are kind, payload, queue, priority, delay, runAt,",
        "[{\"kind\": 7}] | task 1: kind must be a string",
        "[{\"kind\": \"k\", \"queue\": null}] | task 1: queue must be a string",
        "[{\"kind\": \"k\", \"delay\": 5}] | task 1: delay must be a string",
        "[{\"kind\": \"k\", \"delay\": \"soon\"}] | task 1: invalid input syntax for type interval: \"soon\"",
        "[{\"kind\": \"k\", \"runAt\": \"99-99-99\"}] | task 1: ",
        "[{\"kind\": \"k\", \"id\": \"7\"}] | task 1: invalid input syntax for type uuid: \"7\"",
        "[{\"kind\": \"k\", \"priority\": \"huge\"}] | task 1: priority must be urgent, high, normal, low or 1 to 4, was 'huge'",
        "[{\"kind\": \"k\", \"priority\": 1.5}] | was '1.5'",
        "[{\"kind\": \"k\", \"priority\": null}] | task 1: priority must be",
        "[{\"kind\": \"k\", \"maxAttempts\": 1.5}] | task 1: maxAttempts must be a whole number",
        "[{\"kind\": \"k\"}, {\"kind\": \"k\", \"maxAttempts\": -1}] | task 2: max_attempts must be at least 1, was -1"
      })
  void enqueueMany_refusesAllWhereOneIsWrong(String tasks, String message) throws SQLException {
    assertThat(session.refused("22023", "select dibs.enqueue_many(?::jsonb)", tasks))
        .contains(message);
    assertThat(session.value("select count(*) from dibs.task")).isEqualTo("0");
  }
}
