package dev.dibs.sql;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.UUID;

/**
 * From when on history may hold an id: what ends cannot have ended before it was made, and an id of
 * version 7 tells when that was. So partitions of older days are left out.
 */
final class EndedSince {
  /** Clocks of producers may be wrong by so much. */
  private static final Duration WRONG = Duration.ofDays(1);

  /** Older than any history, and yet a day that every library can write. */
  static final OffsetDateTime EVER = OffsetDateTime.of(1970, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC);

  private EndedSince() {}

  static OffsetDateTime one(UUID id) {
    if (id.version() != 7) return EVER;
    Instant made = Instant.ofEpochMilli(id.getMostSignificantBits() >>> 16);
    if (made.isAfter(Instant.now().plus(WRONG))) return EVER;
    return made.minus(WRONG).atOffset(ZoneOffset.UTC);
  }

  static OffsetDateTime any(Collection<UUID> ids) {
    return ids.stream().map(EndedSince::one).min(OffsetDateTime::compareTo).orElse(EVER);
  }
}
