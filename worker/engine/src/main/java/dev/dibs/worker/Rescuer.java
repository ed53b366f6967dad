package dev.dibs.worker;

import dev.dibs.sql.Bell;
import dev.dibs.sql.RescueTasks;
import dev.dibs.sql.WorkerRows;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds workers that died and gives their tasks back. Every process does this; none leads.
 *
 * <p>A worker is dead when its lease has run out by the database's clock and this process has
 * itself seen no beat for half a lease of its own monotonic time, looking all the while. So neither
 * a step of the database's clock nor an outage or a stall, after which all leases look expired,
 * makes the living look dead. Runs on the duty thread alone.
 */
final class Rescuer {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final int BATCH = 500;

  /** A beat and when this process first saw it. */
  private record Seen(long beat, long at) {}

  private final WorkerRows rows;
  private final RescueTasks rescue;
  private final Bell bell;
  private final WorkerSettings settings;
  private final WorkerMeters meters;
  private Map<UUID, Seen> seen = new HashMap<>();
  private long lastLookAt = System.nanoTime();

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

  /** Forgets what was seen: after an outage everybody gets the time to beat again. */
  void startOver() {
    seen.clear();
  }

  /** Looks at all workers once and rescues the tasks of the dead. */
  void rescueTasksOfTheDead(Connection connection) throws SQLException {
    List<WorkerRows.Sign> signs = rows.signs(connection);
    long now = System.nanoTime();
    // What held up this process may have held up the beats of all.
    if (now - lastLookAt > settings.lease().toNanos() / 2) startOver();
    lastLookAt = now;
    Map<UUID, Seen> before = seen;
    seen =
        signs.stream()
            .collect(
                Collectors.toMap(
                    WorkerRows.Sign::worker, sign -> see(before.get(sign.worker()), sign, now)));
    for (WorkerRows.Sign sign : signs) {
      if (sign.dead() || (isSilent(sign, now) && rows.buryIfSilent(connection, sign))) {
        rescueAll(connection, sign);
      }
    }
  }

  private static Seen see(
      @org.jspecify.annotations.Nullable Seen before, WorkerRows.Sign sign, long now) {
    return before != null && before.beat() == sign.beat() ? before : new Seen(sign.beat(), now);
  }

  private boolean isSilent(WorkerRows.Sign sign, long now) {
    Seen first = seen.get(sign.worker());
    return sign.expired() && first != null && now - first.at() >= settings.lease().toNanos() / 2;
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
    meters.rescued(cause, rescued.returned() + rescued.buried());
  }
}
