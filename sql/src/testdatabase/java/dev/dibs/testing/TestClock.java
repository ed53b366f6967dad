package dev.dibs.testing;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import org.jspecify.annotations.NullMarked;

/**
 * The clock of a test database, which can be put forward and back: what Dibs asks for the time is
 * found in another schema, before PostgreSQL's own. Holds for connections that are opened later.
 */
@NullMarked
public final class TestClock {
  private final TestDatabase db;

  private TestClock(TestDatabase db) {
    this.db = db;
  }

  public static TestClock in(TestDatabase db) {
    db.execute("create schema clock");
    db.execute("create table clock.ahead (shift interval not null)");
    db.execute("insert into clock.ahead values ('0')");
    db.execute("grant usage on schema clock to public");
    db.execute("grant select on clock.ahead to public");
    for (String function : new String[] {"statement_timestamp", "clock_timestamp"})
      db.execute(
          "create function clock.%1$s() returns timestamptz language sql volatile as 'select pg_catalog.%1$s() + shift from clock.ahead'"
              .formatted(function));
    db.execute(
        "do $$ begin execute format('alter database %I set search_path = clock, pg_catalog, public', current_database()); end $$");
    return new TestClock(db);
  }

  /** Puts the clock forward, or back. */
  public void step(Duration by) {
    db.execute(
        "update clock.ahead set shift = shift + ? * interval '1 microsecond'",
        by.toNanos() / 1_000);
  }

  /** Puts the clock to {@code now}, from where it goes on. */
  public void set(Instant now) {
    OffsetDateTime then = now.atOffset(ZoneOffset.UTC);
    // In seconds: a difference in days would be an hour more or less in zones with summer time.
    db.execute(
        "update clock.ahead set shift = extract(epoch from ? - pg_catalog.clock_timestamp()) * interval '1 second'",
        then);
  }
}
