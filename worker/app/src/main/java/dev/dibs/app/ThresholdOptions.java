package dev.dibs.app;

import dev.dibs.operations.Doctor.Thresholds;
import java.time.Duration;
import picocli.CommandLine.Option;

/** The options that say from where on {@code dibs doctor} finds something. */
final class ThresholdOptions {
  @Option(
      names = "--held-snapshot",
      paramLabel = "TIME",
      defaultValue = "15m",
      description = "A transaction may hold a snapshot for so long.")
  Duration heldSnapshot = Thresholds.DEFAULT.heldSnapshot();

  @Option(
      names = "--idle-in-transaction",
      paramLabel = "TIME",
      defaultValue = "5m",
      description = "A session may idle in a transaction for so long.")
  Duration idleInTransaction = Thresholds.DEFAULT.idleInTransaction();

  @Option(
      names = "--overdue",
      paramLabel = "TIME",
      defaultValue = "2m",
      description = "So late may tasks without a worker, rescues and duties be.")
  Duration overdue = Thresholds.DEFAULT.overdue();

  @Option(
      names = "--clock-skew",
      paramLabel = "TIME",
      defaultValue = "2s",
      description = "Clocks may differ by so much.")
  Duration clockSkew = Thresholds.DEFAULT.clockSkew();

  @Option(
      names = "--replication-lag",
      paramLabel = "TIME",
      defaultValue = "1m",
      description = "A standby may be behind by so much.")
  Duration replicationLag = Thresholds.DEFAULT.replicationLag();

  @Option(
      names = "--dead-rows",
      paramLabel = "N",
      defaultValue = "200000",
      description = "Of the live table.")
  long deadRows = Thresholds.DEFAULT.deadRows();

  @Option(
      names = "--connections",
      paramLabel = "PERCENT",
      defaultValue = "85",
      description = "Of those that the server allows.")
  int connections = Thresholds.DEFAULT.connections();

  @Option(
      names = "--transaction-age",
      paramLabel = "N",
      defaultValue = "1000000000",
      description = "Transactions since the oldest rows were frozen.")
  long transactionAge = Thresholds.DEFAULT.transactionAge();

  /**
   * What the options say.
   *
   * @throws UsageException if one of them cannot be meant
   */
  Thresholds thresholds() {
    try {
      return new Thresholds(
          heldSnapshot,
          idleInTransaction,
          overdue,
          clockSkew,
          replicationLag,
          deadRows,
          connections,
          transactionAge);
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }
}
