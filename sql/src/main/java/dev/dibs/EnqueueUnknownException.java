package dev.dibs;

import java.sql.SQLException;

/**
 * The connection broke after an enqueue was sent and before its answer came: the tasks may be there
 * or not. Enqueue the same {@link NewTask} again: it carries its id, so it is not enqueued twice
 * while unfinished.
 */
public final class EnqueueUnknownException extends DatabaseException {
  public EnqueueUnknownException(int tasks, SQLException cause) {
    super(
        "the connection broke while %d task(s) were being enqueued, so they may or may not be there; enqueue the same NewTask again"
            .formatted(tasks),
        cause);
  }
}
