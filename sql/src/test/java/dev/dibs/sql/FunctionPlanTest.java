package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The statements inside the functions find their rows by the index they are meant to, on a table of
 * which the planner knows nothing. Seen by what the server counts in a transaction.
 */
class FunctionPlanTest {
  private static final int TASKS = 50_000;

  /** A task costs a page here and there; reading all of the table would cost thousands. */
  private static final long FEW = 400;

  private final TestDatabase db = TestDatabase.create();
  private final Session session = Session.on(db);

  @BeforeEach
  void fill() throws SQLException {
    db.execute("alter table dibs.task set (autovacuum_enabled = off)");
    db.execute(
        "insert into dibs.task (id, queue, kind, unique_key, unique_hold)"
            + " select gen_random_uuid(), 'q', 'k', 'u' || n, true from generate_series(1, ?) n",
        TASKS);
    session.connection().setAutoCommit(false);
  }

  @AfterEach
  void drop() throws SQLException {
    session.connection().rollback();
    session.close();
    db.close();
  }

  private Map<String, Long> scans() throws SQLException {
    Map<String, Long> scans = new HashMap<>();
    for (var row :
        session.rows(
            "select relname, pg_stat_get_xact_numscans(oid) from pg_class where oid = 'dibs.task'::regclass"
                + " or oid in (select indexrelid from pg_index where indrelid = 'dibs.task'::regclass)"))
      scans.put(String.valueOf(row.get(0)), Long.valueOf(String.valueOf(row.get(1))));
    return scans;
  }

  private long buffers(String sql) throws SQLException {
    for (var row : session.rows("explain (analyze, buffers, costs off, timing off) " + sql)) {
      var hit = java.util.regex.Pattern.compile("shared hit=(\\d+)(?: read=(\\d+))?");
      var matcher = hit.matcher(String.valueOf(row.getFirst()));
      if (matcher.find())
        return Long.parseLong(matcher.group(1))
            + (matcher.group(2) == null ? 0 : Long.parseLong(matcher.group(2)));
    }
    return 0;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "select dibs.enqueue('k', queue => 'q') | task_pkey",
        "select dibs.enqueue('k', queue => 'q', id => gen_random_uuid()) | task_pkey",
        "select dibs.enqueue('k', queue => 'q', unique_key => 'new') | task_unique_waiting task_unique_held task_pkey",
        "select dibs.enqueue('k', queue => 'q', unique_key => 'u7') | task_unique_waiting task_unique_held task_pkey",
        "select dibs.enqueue('k', queue => 'q', unique_key => 'u7', on_conflict => 'replace') | task_unique_waiting task_pkey",
        "select dibs.enqueue_many('[{\"kind\": \"k\"}, {\"kind\": \"k\", \"queue\": \"q\", \"uniqueKey\": \"u8\"}]') | task_unique_waiting task_pkey",
        "select dibs.enqueue_rows('{00000000-0000-0000-0000-000000000007,00000000-0000-0000-0000-000000000008}', '{q,q}', '{k,k}', null, null, null, null, null, null, null, '{NULL,u8}', null, null, null, true) | task_unique_waiting task_pkey",
        "select dibs.enqueue_rows('{00000000-0000-0000-0000-000000000007}', '{q}', '{k}', null, null, null, null, null, null, null, '{new}', null, '{9000000}', null, false) | task_unique_waiting task_unique_held task_pkey",
        "select dibs.cancel('00000000-0000-0000-0000-000000000000') | task_pkey",
        "select dibs.cancel_unique('q', 'u9') | task_unique_waiting task_unique_held"
      })
  void functions_findByTheIndexThatIsMeant(String sql, String indexes) throws SQLException {
    session.execute(sql);
    assertScanned(indexes.split(" ", -1));
    assertThat(buffers(sql)).isLessThan(FEW);
  }

  @Test
  void worker_findsByTheIndexThatIsMeant() throws SQLException {
    String worker = session.value("select dibs.register('h', 1, '{q}', '{k}')");
    String claim = "select * from dibs.claim('" + worker + "', '{q}', '{k}', 20)";
    var claimed = session.rows(claim);
    assertThat(claimed).hasSize(20);
    assertScanned("task_lane", "task_pkey");
    String finish =
        "select dibs.finish('%s', '%s', 'retry')"
            .formatted(claimed.getFirst().get(0), claimed.getFirst().get(1));
    String done =
        "select dibs.finish('%s', '%s', 'succeeded')"
            .formatted(claimed.get(1).get(0), claimed.get(1).get(1));
    assertThat(buffers(finish)).isLessThan(FEW);
    assertThat(buffers(done)).isLessThan(FEW);
    assertScanned("task_lane", "task_pkey");
    assertThat(buffers(claim)).isLessThan(20 * FEW / 4);
    session.execute("select dibs.deregister(?::uuid)", worker);
    assertScanned("task_lane", "task_pkey", "task_held");
  }

  /** What waits and what ended lately are counted so far and no further, however many there are. */
  @Test
  void explain_costsTheSameHoweverManyWaitAndEnded() throws SQLException {
    session.execute(
        "insert into dibs.task_history (id, created_at, run_at, finished_at, status, priority, attempt, failures, losses, max_attempts, queue, kind, payload)"
            + " select gen_random_uuid(), now(), now(), clock_timestamp(), 'SUCCEEDED', 3, 1, 0, 0, 25, 'q', 'k', '{}' from generate_series(1, ?)",
        TASKS);
    session.execute("select dibs.register('h', 1, '{q}', '{k}', 5000)");
    String last =
        String.valueOf(db.value("select id from dibs.task order by position desc limit 1"));
    session.execute("select count(*) from dibs.explain(?::uuid)", last);
    assertScanned("task_pkey", "task_lane", "task_held");
    // The ten thousand of the lane and the ten thousand of history, at a page for a few of them.
    long counting = buffers("select * from dibs.explain('" + last + "', 'lane')");
    assertThat(counting).isBetween(100L, 25_000L);
    for (String part : new String[] {"state", "pauses", "workers"})
      assertThat(buffers("select * from dibs.explain('" + last + "', '" + part + "')"))
          .as(part)
          .isLessThan(FEW);
    assertThat(buffers("select * from dibs.explain(gen_random_uuid())")).isLessThan(FEW);
  }

  private void assertScanned(String... indexes) throws SQLException {
    var scans = scans();
    for (String index : indexes) assertThat(scans.remove(index)).as(index).isPositive();
    assertThat(scans.values()).as(scans.toString()).containsOnly(0L);
  }
}
