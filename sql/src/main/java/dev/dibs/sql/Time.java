package dev.dibs.sql;

import static org.jooq.impl.DSL.field;

import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import org.jooq.Field;
import org.jooq.impl.SQLDataType;
import org.jooq.types.YearToSecond;

/** The database's clock, and durations as the microseconds it counts in. */
final class Time {
  private Time() {}

  /** When the statement came in: one value for all its rows, and no volatile function. */
  static Field<OffsetDateTime> now() {
    return field("statement_timestamp()", SQLDataType.TIMESTAMPWITHTIMEZONE);
  }

  /**
   * The time this very moment, also late in a statement that waited for a lock: what worker leases
   * are made of.
   */
  static Field<OffsetDateTime> clock() {
    return field("clock_timestamp()", SQLDataType.TIMESTAMPWITHTIMEZONE);
  }

  static Field<YearToSecond> micros(Field<Long> micros) {
    return field("{0} * interval '1 microsecond'", SQLDataType.INTERVAL, micros);
  }

  static long micros(Duration duration) {
    return Math.addExact(
        Math.multiplyExact(duration.toSeconds(), 1_000_000L), duration.toNanosPart() / 1_000L);
  }

  static Duration ofMicros(long micros) {
    return Duration.of(micros, ChronoUnit.MICROS);
  }
}
