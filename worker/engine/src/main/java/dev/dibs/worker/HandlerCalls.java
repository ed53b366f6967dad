package dev.dibs.worker;

import dev.dibs.Codec;
import dev.dibs.Outcome;
import dev.dibs.Task;

/** What it takes to call a task's handler. */
record HandlerCalls(
    Handlers handlers, TaskTransactions transactions, Codec codec, Surroundings surroundings) {
  /** Calls without surroundings. */
  HandlerCalls(Handlers handlers, TaskTransactions transactions, Codec codec) {
    this(handlers, transactions, codec, Surroundings.NONE);
  }

  RunningTask open(Task task) {
    return new RunningTask(task, transactions, codec);
  }

  Outcome call(RunningTask run) throws Exception {
    // Nothing is made for surroundings that are not there: this is once a task.
    if (surroundings.areNone()) return handlers.run(codec, run.task(), run);
    return surroundings.call(run, () -> handlers.run(codec, run.task(), run));
  }
}
