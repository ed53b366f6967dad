/**
 * The way out: a {@link dev.dibs.worker.Worker} claims tasks and runs their handlers.
 *
 * <p>Public: Worker, WorkerBuilder, WorkerSettings; TaskHandler, RunningTask and TaskTransaction
 * for those who write handlers; Handlers and HandlerProvider for those who ship them in jars.
 */
@NullMarked
package dev.dibs.worker;

import org.jspecify.annotations.NullMarked;
