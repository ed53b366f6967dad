package dev.dibs.console;

/** A number and how far it can be believed. */
record Amount(long number, Kind kind) {
  /** Where a number comes from. */
  enum Kind {
    EXACT,
    /** The planner's, from the last ANALYZE. */
    ESTIMATE,
    /** Counting stopped there. */
    AT_LEAST
  }

  /** {@code 12,345}, {@code about 1.2 M} or {@code 10,000+}. */
  String text() {
    return switch (kind) {
      case EXACT -> Show.count(number);
      case ESTIMATE -> "about " + Show.roughly(number);
      case AT_LEAST -> Show.count(number) + "+";
    };
  }

  String title() {
    return switch (kind) {
      case EXACT -> "counted: " + Show.full(number);
      case ESTIMATE -> "table statistics: " + Show.full(number) + " as of the last ANALYZE";
      case AT_LEAST -> "counting stopped here";
    };
  }

  static Amount upTo(int counted, int most) {
    return counted < most ? new Amount(counted, Kind.EXACT) : new Amount(most - 1, Kind.AT_LEAST);
  }
}
