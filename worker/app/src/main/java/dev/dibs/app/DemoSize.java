package dev.dibs.app;

import java.math.BigDecimal;

/** How large the demo is. Immutable. */
record DemoSize(int tasks, int buyers, int seats, int projects) {
  static final int ACCOUNTS = 100;
  static final BigDecimal BALANCE = new BigDecimal("1000.00");
  static final int MANAGERS = 5;
  static final int SMALLEST = 200;
  static final int LARGEST = 2_000_000;

  private static final int USUAL_BUYERS = 2_000;
  private static final int USUAL_PROJECTS = 200;

  /**
   * 2,000 buyers for 500 seats and 200 projects of 5 proposals; fewer in a small demo. The rest are
   * transfers.
   */
  static DemoSize of(int tasks) {
    if (tasks < SMALLEST || tasks > LARGEST) {
      throw new UsageException(
          "--tasks must be %d to %d, was %d".formatted(SMALLEST, LARGEST, tasks));
    }
    int buyers = Math.min(USUAL_BUYERS, tasks / 10);
    return new DemoSize(tasks, buyers, buyers / 4, Math.min(USUAL_PROJECTS, tasks / 100));
  }

  BigDecimal money() {
    return BALANCE.multiply(BigDecimal.valueOf(ACCOUNTS));
  }
}
