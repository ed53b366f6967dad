package dev.dibs;

import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Makes UUIDs of version 7: 48 bits of milliseconds, a 12-bit counter within them, 62 random bits.
 *
 * <p>Ids of one process only grow, also when its clock steps back. They are names, not secrets.
 * Thread-safe. Source: RFC 9562, section 5.7 and 6.2 (method 1).
 */
final class Uuid7 {
  /**
   * Milliseconds and counter of the last id, as one number: the milliseconds shifted by the
   * counter's 12 bits.
   */
  private static final AtomicLong LAST = new AtomicLong();

  private Uuid7() {}

  static UUID next() {
    long now = System.currentTimeMillis() << 12;
    long tick = LAST.updateAndGet(last -> Math.max(last + 1, now));
    long high = (tick >>> 12) << 16 | 0x7000 | (tick & 0xFFF);
    long low = ThreadLocalRandom.current().nextLong() >>> 2 | 0x8000_0000_0000_0000L;
    return new UUID(high, low);
  }
}
