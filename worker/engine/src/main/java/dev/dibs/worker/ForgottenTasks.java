package dev.dibs.worker;

import dev.dibs.Task;
import dev.dibs.sql.ReadBack;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives back tasks that the database says this process holds and of which nobody here knows.
 *
 * <p>There are such after a failover that lost the end of the log: a run's outcome was written, and
 * then it was not. The process lives, so nobody would rescue its tasks. A claim whose answer is
 * still to be read looks the same for a while, so a task is given back at the second look that does
 * not know it. Should its outcome be on the way after all, the lease decides. Runs on the duty
 * thread alone.
 */
final class ForgottenTasks {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

  private final ReadBack readBack;
  private final Membership membership;
  private final Ledger ledger;
  private final TaskRunner runner;
  private Set<Task.Hold> unknownBefore = Set.of();

  ForgottenTasks(ReadBack readBack, Membership membership, Ledger ledger, TaskRunner runner) {
    this.readBack = readBack;
    this.membership = membership;
    this.ledger = ledger;
    this.runner = runner;
  }

  /** Looks once. */
  void giveBack(Connection connection) throws SQLException {
    UUID worker = membership.worker();
    Set<Task.Hold> unknown = new HashSet<>(readBack.heldBy(connection, worker));
    // In the order in which a task moves on, or one that does just now would be seen nowhere.
    unknown.removeAll(ledger.holds());
    unknown.removeAll(runner.holds());
    unknown.removeAll(ledger.holds());
    Set<Task.Hold> before = unknownBefore;
    unknownBefore = unknown;
    for (Task.Hold hold : unknown) {
      if (before.contains(hold))
        giveBack(readBack.claimedBy(connection, worker, hold.lease()), hold);
    }
  }

  private void giveBack(List<Task> claimed, Task.Hold forgotten) {
    for (Task task : claimed) {
      if (!task.hold().equals(forgotten)) continue;
      LOG.warn(
          "task {} is held in the name of this process, which does not know it: given back",
          task.id());
      ledger.write(FinishedRun.released(task));
    }
  }
}
