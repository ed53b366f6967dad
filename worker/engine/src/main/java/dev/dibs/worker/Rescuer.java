package dev.dibs.worker;

import dev.dibs.sql.Bell;
import dev.dibs.sql.RescueTasks;
import dev.dibs.sql.WorkerRows;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the tasks of dead workers back. Every process does this; none leads. Runs on the duty
 * thread alone.
 */
final class Rescuer {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final int BATCH = 500;

  private final WorkerRows rows;
  private final RescueTasks rescue;
  private final Bell bell;
  private final WorkerSettings settings;
  private final WorkerMeters meters;

  Rescuer(
      WorkerRows rows,
      RescueTasks rescue,
      Bell bell,
      WorkerSettings settings,
      WorkerMeters meters) {
    this.rows = rows;
    this.rescue = rescue;
    this.bell = bell;
    this.settings = settings;
    this.meters = meters;
  }

  /** Rescues the tasks of those {@code suspects} that have not beaten since. */
  void rescueTasksOf(List<WorkerRows.Sign> suspects, Connection connection) throws SQLException {
    for (WorkerRows.Sign sign : suspects) {
      if (sign.dead() || rows.buryIfSilent(connection, sign)) rescueAll(connection, sign);
    }
  }

  private void rescueAll(Connection connection, WorkerRows.Sign sign) throws SQLException {
    int returned = 0;
    int buried = 0;
    RescueTasks.Rescued rescued;
    do {
      rescued = rescue.rescue(connection, sign.worker(), sign.host(), settings.maxLosses(), BATCH);
      count("worker", rescued);
      bell.ring(connection, rescued.queues());
      returned += rescued.returned();
      buried += rescued.buried();
    } while (rescued.returned() + rescued.buried() > 0);
    boolean removed = rows.removeIfIdle(connection, sign.worker());
    if (removed || returned + buried > 0) {
      LOG.warn(
          "worker {} on {} is dead: {} tasks given back, {} quarantined",
          sign.worker(),
          sign.host(),
          returned,
          buried);
    }
  }

  /** Rescues tasks that are held in the name of a worker without a row. */
  void rescueOrphans(Connection connection) throws SQLException {
    int all = 0;
    RescueTasks.Rescued rescued;
    do {
      rescued = rescue.rescueOrphans(connection, settings.maxLosses(), BATCH);
      count("orphan", rescued);
      bell.ring(connection, rescued.queues());
      all += rescued.returned() + rescued.buried();
    } while (rescued.returned() + rescued.buried() > 0);
    if (all > 0) LOG.warn("{} tasks had no worker: given back", all);
  }

  private void count(String cause, RescueTasks.Rescued rescued) {
    meters.rescued(cause, rescued.returned(), rescued.buried());
  }
}
