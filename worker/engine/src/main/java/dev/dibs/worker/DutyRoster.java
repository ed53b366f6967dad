package dev.dibs.worker;

import dev.dibs.sql.Duties;
import dev.dibs.sql.VacuumTask;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The duties that some process must do now and then, and the vacuum that the work of this one makes
 * worth while. Runs on the duty thread alone.
 */
final class DutyRoster {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final int PARTITION_DAYS_AHEAD = 3;
  private static final Duration PARTITION_PAUSE = Duration.ofMinutes(1);

  /** So many outcomes leave as many dead rows, which claims would come to feel. */
  private static final long VACUUM_AFTER = 20_000;

  private static final long VACUUM_PAUSE_NANOS = Duration.ofSeconds(10).toNanos();

  /** Long before that their schedules have gone on; the clock may be put back by as much. */
  private static final Duration TICKS_KEPT = Duration.ofDays(2);

  /** What is vacuumed in a second or two; other duties wait for it. */
  private static final long LARGEST_VACUUM = 256L << 20;

  private static final int PRUNE_BATCH = 5_000;
  private static final int PRUNE_BATCHES = 20;
  private static final Duration PRUNE_PAUSE = Duration.ofSeconds(5);

  private final Duties duties;
  private final Rescuer rescuer;
  private final VacuumTask vacuum;
  private final ForgottenTasks forgotten;
  private final Ticker ticker;
  private final Link link;
  private long writtenBefore;
  private long nextVacuumAt = System.nanoTime();
  private boolean inVain;

  DutyRoster(
      Duties duties,
      Rescuer rescuer,
      VacuumTask vacuum,
      ForgottenTasks forgotten,
      Ticker ticker,
      Link link) {
    this.duties = duties;
    this.rescuer = rescuer;
    this.vacuum = vacuum;
    this.forgotten = forgotten;
    this.ticker = ticker;
    this.link = link;
  }

  /** Does the duties whose time has come, and what each process must do for itself. */
  void doDuties(Connection connection) throws SQLException {
    forgotten.giveBack(connection);
    for (Optional<String> duty = duties.takeDue(connection);
        duty.isPresent();
        duty = duties.takeDue(connection)) {
      link.step(connection); // taken, whatever becomes of it
      switch (duty.get()) {
        case "partitions" -> createPartitions(connection);
        case "prune" -> prune(connection);
        case "audit" -> pruneAudit(connection);
        case "ticks" -> duties.pruneTicks(connection, TICKS_KEPT);
        case "windows" -> duties.forgetWindows(connection);
        case "orphans" -> rescuer.rescueOrphans(connection);
        default -> LOG.debug("duty {} is not known to this version", duty.get());
      }
    }
  }

  /** Gives way to whoever reads history; the days ahead are time enough to come again. */
  private void createPartitions(Connection connection) throws SQLException {
    if (duties.createPartitions(connection, PARTITION_DAYS_AHEAD).isEmpty())
      duties.comeAgain(connection, "partitions", PARTITION_PAUSE);
  }

  /** Other duties wait for this, so what takes long is done bit by bit. */
  private void prune(Connection connection) throws SQLException {
    duties.prune(connection);
    boolean more = true;
    for (int batch = 0; more && batch < PRUNE_BATCHES; batch++) {
      link.step(connection);
      more = duties.pruneRows(connection, PRUNE_BATCH);
    }
    if (more) duties.comeAgain(connection, "prune", PRUNE_PAUSE);
  }

  private void pruneAudit(Connection connection) {
    if (duties.pruneAudit(connection, PRUNE_BATCH))
      duties.comeAgain(connection, "audit", PRUNE_PAUSE);
  }

  /** Lets schedules tick; answers how long until the next does, {@code atMost} if none is known. */
  Duration tick(Connection connection, Duration atMost) throws SQLException {
    return ticker.tick(connection, atMost);
  }

  /**
   * Whether this process has written enough outcomes since the last vacuum, and that is a while.
   */
  boolean isVacuumDue(long written) {
    return written - writtenBefore >= VACUUM_AFTER && System.nanoTime() - nextVacuumAt >= 0;
  }

  /** Vacuums the live table once this process has written enough outcomes since the last time. */
  void vacuumIfDue(Connection connection, long written) throws SQLException {
    if (!connection.getAutoCommit()) return; // behind a pooler, where no vacuum can run
    if (!isVacuumDue(written)) return;
    writtenBefore = written;
    nextVacuumAt = System.nanoTime() + VACUUM_PAUSE_NANOS;
    vacuum.vacuum(connection, LARGEST_VACUUM).ifPresent(this::tell);
  }

  private void tell(VacuumTask.Left left) {
    boolean useless = left.deadRows() >= VACUUM_AFTER;
    if (useless && !inVain && left.oldest().isPresent()) {
      LOG.warn(
          "{} dead tasks cannot be vacuumed away: the snapshot of {}{} may still see them",
          left.deadRows(),
          left.oldest().get().who(),
          left.oldest().get().age().map(age -> ", " + age.toSeconds() + " s old,").orElse(""));
    } else if (!useless && inVain) {
      LOG.info("dead tasks can be vacuumed away again");
    }
    inVain = useless;
  }
}
