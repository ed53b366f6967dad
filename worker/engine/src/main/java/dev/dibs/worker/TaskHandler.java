package dev.dibs.worker;

import dev.dibs.Outcome;

/**
 * Does what tasks of one kind ask for. Called on a virtual thread of the run's own, by many runs at
 * once.
 *
 * <p>An exception is a failure: the task comes again after a backoff, or is dead when its attempts
 * are used up. An interrupt means stop: the worker shuts down, the run took too long, or it lost
 * its lease.
 */
@FunctionalInterface
public interface TaskHandler<T> {
  /** Runs one task and answers what came of it. */
  Outcome handle(T payload, RunningTask task) throws Exception;
}
