package dev.dibs.worker;

import dev.dibs.Codec;
import dev.dibs.Outcome;
import dev.dibs.Task;

/** What it takes to call a task's handler. */
record HandlerCalls(Handlers handlers, TaskTransactions transactions, Codec codec) {
  RunningTask open(Task task) {
    return new RunningTask(task, transactions, codec);
  }

  Outcome call(RunningTask run) throws Exception {
    return handlers.run(codec, run.task(), run);
  }
}
