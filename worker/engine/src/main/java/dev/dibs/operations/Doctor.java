package dev.dibs.operations;

import dev.dibs.DatabaseException;
import dev.dibs.sql.Pooler;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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

    public Thresholds {
      for (Duration span :
          List.of(heldSnapshot, idleInTransaction, overdue, clockSkew, replicationLag))
        if (span.isNegative())
          throw new IllegalArgumentException("a threshold must not be negative, was " + span);
      if (deadRows < 0 || transactionAge < 0 || connections < 1 || connections > 100)
        throw new IllegalArgumentException(
            "deadRows and transactionAge must not be negative, connections must be 1 to 100 percent; were %d, %d, %d"
                .formatted(deadRows, transactionAge, connections));
    }
  }

  private static final Duration LONGEST = Duration.ofSeconds(5);
  private static final Duration LONGEST_CHECK = Duration.ofSeconds(1);
  private static final String POOLER = "pooler";

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
   * Makes all checks, within five seconds of having a connection; a finding each, the worst first.
   * Where there is no schema, that is found, and what needs one is left out.
   *
   * @throws dev.dibs.DatabaseException if the database cannot be reached
   */
  public List<Finding> examine() {
    long end = System.nanoTime() + LONGEST.toNanos();
    List<Finding> findings = new ArrayList<>();
    try (Connection connection = dataSource.getConnection()) {
      boolean schemaIsThere = ServerChecks.isThere(schema, connection, left(end));
      for (Check check : checks(schemaIsThere)) findings.add(check.make(connection, left(end)));
    } catch (SQLException e) {
      throw new DatabaseException("the database cannot be examined", e);
    }
    findings.add(pooler(end));
    findings.sort(Comparator.comparing(Finding::severity));
    return List.copyOf(findings);
  }

  private List<Check> checks(boolean schemaIsThere) {
    var server = new ServerChecks(schema, thresholds);
    var sessions = new SessionChecks(schema, thresholds);
    List<Check> checks = new ArrayList<>();
    checks.add(server.ofVersion());
    if (schemaIsThere) checks.add(server.ofGrants());
    checks.addAll(server.ofServer());
    if (schemaIsThere) checks.addAll(new QueueChecks(schema, thresholds).all());
    checks.addAll(sessions.ofServer());
    if (schemaIsThere) checks.addAll(sessions.ofLiveTable());
    return checks;
  }

  private static Duration left(long end) {
    Duration left = Duration.ofNanos(end - System.nanoTime());
    return left.compareTo(LONGEST_CHECK) < 0 ? left : LONGEST_CHECK;
  }

  private Finding pooler(long end) {
    String what = "whether a transaction pooler is in between: ";
    if (!left(end).isPositive())
      return Finding.unknown(
          POOLER, "could not check " + what + "the time for all checks was over", "run it again");
    // Takes a second connection, for which a pool of one would let it wait.
    var look = new FutureTask<>(() -> Pooler.isBetween(dataSource));
    Thread.ofVirtual().name("dibs-doctor-pooler").start(look);
    try {
      return look.get(left(end).toMillis(), TimeUnit.MILLISECONDS)
          ? Finding.note(
              POOLER,
              "a transaction pooler is in between: nothing is heard by LISTEN, so workers poll",
              List.of(),
              "for latency let workers connect directly; for the rest of them nothing is lost")
          : Finding.ok(POOLER, "no transaction pooler is in between");
    } catch (TimeoutException e) {
      return Finding.unknown(
          POOLER,
          "could not check " + what + "two connections at once were not to be had in time",
          "let the pool have two connections");
    } catch (ExecutionException e) {
      String why =
          e.getCause() instanceof SQLException failure
              ? ShortLook.why(failure)
              : String.valueOf(e.getCause());
      return Finding.unknown(POOLER, "could not check " + what + why, "run it again");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Finding.unknown(
          POOLER, "could not check " + what + "it was interrupted", "run it again");
    } finally {
      look.cancel(true);
    }
  }
}
