package dev.dibs.worker;

import static java.time.Duration.ofSeconds;
import static org.awaitility.Awaitility.await;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DutyRosterTest {
  private static final String DAYS =
      "pg_class where relnamespace = 'dibs'::regnamespace and relname ~ '^task_history_[0-9]{8}$'";

  private final TestDatabase db = TestDatabase.create();

  @AfterEach
  void drop() {
    db.close();
  }

  /** Somebody reads history for hours: the other duties go on, and the day is tried again. */
  @Test
  void aDayThatCannotBeAddedYet_isTriedAgainSoon() throws SQLException {
    db.execute(
        "do $$ begin execute 'drop table dibs.' || (select max(relname) from "
            + DAYS
            + "); end $$");
    try (Connection reader = db.connect()) {
      reader.setAutoCommit(false);
      reader.createStatement().executeQuery("select count(*) from dibs.task_history").close();
      Worker worker =
          Worker.on(db.dataSource())
              .queue("q", 1)
              .handle(Kind.of("k", Json.class), (json, task) -> Outcome.done())
              .start();
      await()
          .atMost(ofSeconds(20))
          .until(() ->
              db.number(
                      "select count(*) from dibs.duty where last_run_at is not null"
                          + " and (name <> 'partitions' or next_run_at < now() + interval '2 min')")
                  == db.number("select count(*) from dibs.duty"));
      worker.stop(Duration.ZERO);
    }
  }
}
