package dev.dibs.sql;

import dev.dibs.TaskStatus;
import java.util.Objects;
import java.util.UUID;

/** What a statement said it had done to the task, and the one change that this must have been. */
sealed interface Deed {
  boolean explains(Change change);

  record Claimed(UUID lease) implements Deed {
    @Override
    public boolean explains(Change change) {
      return change.comesFrom(TaskStatus.PENDING)
          && change.leadsTo(TaskStatus.PROCESSING)
          && lease.equals(change.leaseAfter())
          && change.grew(1, 0, 0);
    }
  }

  /** Ended by the run that held the lease; history keeps it. */
  record Ended(UUID lease, TaskStatus status) implements Deed {
    @Override
    public boolean explains(Change change) {
      return lease.equals(change.leaseBefore())
          && change.leadsTo(status)
          && lease.equals(change.leaseAfter())
          && change.grew(0, 0, 0);
    }
  }

  /** Retried, snoozed or released by the run that held the lease. */
  record GivenBack(UUID lease, TaskStatus status, boolean failed) implements Deed {
    @Override
    public boolean explains(Change change) {
      return lease.equals(change.leaseBefore())
          && change.leadsTo(status)
          && change.leaseAfter() == null
          && change.grew(0, failed ? 1 : 0, 0);
    }
  }

  /** Taken from a dead worker. */
  record Rescued(UUID worker, boolean buried) implements Deed {
    @Override
    public boolean explains(Change change) {
      return change.before() != null
          && worker.equals(change.before().worker())
          && change.comesFrom(TaskStatus.PROCESSING)
          && change.leadsTo(buried ? TaskStatus.DEAD : TaskStatus.PENDING)
          && change.leaseAfter() == null
          && change.grew(0, 0, 1);
    }
  }

  record Cancelled(CancelTask.Found found) implements Deed {
    @Override
    public boolean explains(Change change) {
      UUID lease = found.run().isPresent() ? found.run().get().lease() : null;
      return change.comesFrom(found.status())
          && Objects.equals(lease, change.leaseBefore())
          && change.leadsTo(TaskStatus.CANCELLED)
          && change.leaseAfter() == null
          && change.grew(0, 0, 0);
    }
  }

  record Promoted() implements Deed {
    @Override
    public boolean explains(Change change) {
      return change.comesFrom(TaskStatus.SCHEDULED)
          && change.leadsTo(TaskStatus.PENDING)
          && change.grew(0, 0, 0);
    }
  }

  /** Run again after its end, by hand: its failures count anew, its attempts go on. */
  record Revived(TaskStatus from, int attempt) implements Deed {
    @Override
    public boolean explains(Change change) {
      return change.wasSeen(from, attempt)
          && change.leadsTo(TaskStatus.PENDING)
          && change.leaseAfter() == null
          && change.after() != null
          && change.after().attempt() == attempt
          && change.after().failures() == 0;
    }
  }

  /** Moved, made more or less urgent or rescheduled while it waited, as it was seen. */
  record Steered(TaskStatus from, int attempt) implements Deed {
    @Override
    public boolean explains(Change change) {
      return change.wasSeen(from, attempt)
          && change.leadsTo(from)
          && change.leaseAfter() == null
          && change.grew(0, 0, 0);
    }
  }

  /** Called off as it was seen, waiting or running. */
  record CalledOff(TaskStatus from, int attempt) implements Deed {
    @Override
    public boolean explains(Change change) {
      return change.wasSeen(from, attempt)
          && change.leadsTo(TaskStatus.CANCELLED)
          && change.leaseAfter() == null
          && change.grew(0, 0, 0);
    }
  }

  /** Forgotten as it was seen, waiting or ended. */
  record Deleted(TaskStatus from, int attempt) implements Deed {
    @Override
    public boolean explains(Change change) {
      return change.wasSeen(from, attempt)
          && from != TaskStatus.PROCESSING
          && change.after() == null;
    }
  }
}
