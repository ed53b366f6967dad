package dev.dibs.operations;

import dev.dibs.sql.BulkRows;
import java.time.Duration;

/**
 * How large the next batch is, and when it is its turn: as large as can be done in a fifth of a
 * second, so that nobody waits long for what it has locked, and no more tasks a second than were
 * allowed. Owned by one thread.
 */
final class Pace {
  private static final long LONGEST = Duration.ofMillis(200).toNanos();
  private static final int FIRST = 100;
  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  private final int perSecond;
  private final int most;
  private int size;
  private long turn;

  Pace(int perSecond, long now) {
    this.perSecond = perSecond;
    this.most = Math.min(BulkRows.LARGEST, perSecond);
    this.size = Math.min(FIRST, most);
    this.turn = now;
  }

  int size() {
    return size;
  }

  /** How many nanoseconds are left until the next turn; not positive: none. */
  long left(long now) {
    return turn - now;
  }

  /** A batch of {@code tasks} began and ended; a slow one is not made up for later. */
  void did(int tasks, long began, long ended) {
    turn = Math.max(turn, began) + SECOND * tasks / perSecond;
    long took = Math.max(1, ended - began);
    if (took > LONGEST) size = (int) Math.max(1, Math.min(size, size * LONGEST / took));
    else if (tasks >= size) size = Math.min(most, size + size / 2 + 1);
  }

  /** The batch did not go through: a smaller one may, and comes nearer to what is in its way. */
  void shrink() {
    size = Math.max(1, size / 2);
  }
}
