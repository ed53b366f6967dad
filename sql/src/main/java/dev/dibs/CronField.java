package dev.dibs;

/**
 * The values that one field of a cron expression allows. Immutable.
 *
 * @param values a bit for each, the lowest for 0
 * @param starred whether the field was written with a star, so that it follows the clock and names
 *     no times
 */
record CronField(long values, boolean starred) {
  /** What {@link #from} answers when there is none. */
  static final int NONE = -1;

  boolean has(int value) {
    return (values >>> value & 1) == 1;
  }

  /** The least allowed value that is not below {@code value}, which is at most 63. */
  int from(int value) {
    long left = values & (-1L << value);
    return left == 0 ? NONE : Long.numberOfTrailingZeros(left);
  }

  int first() {
    return Long.numberOfTrailingZeros(values);
  }
}
