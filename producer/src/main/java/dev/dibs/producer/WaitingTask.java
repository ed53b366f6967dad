package dev.dibs.producer;

import dev.dibs.sql.InsertTasks;
import java.util.concurrent.CompletableFuture;

/** A task that is to be committed, and who waits for that. */
record WaitingTask(InsertTasks.Row row, CompletableFuture<Enqueued> answer) {
  WaitingTask(InsertTasks.Row row) {
    this(row, new CompletableFuture<>());
  }
}
