package dev.dibs;

import java.sql.SQLException;

/**
 * The tasks may be there or not: the connection broke after an enqueue was sent and before its
 * answer came, and the database could not be asked; or the commit's wait for a synchronous standby
 * was cancelled, so that a failover may lose it. Enqueue the same {@link NewTask} again by the same
 * producer: it carries its id, and the producer looks whether the task ended meanwhile, so it is
 * not enqueued twice.
 */
public final class EnqueueUnknownException extends DatabaseException {
  public EnqueueUnknownException(int tasks, SQLException cause) {
    super(
        "whether %d task(s) were enqueued is unknown, they may or may not be there; enqueue the same NewTask again"
            .formatted(tasks),
        cause);
  }
}
