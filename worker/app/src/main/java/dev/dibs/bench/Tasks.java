package dev.dibs.bench;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import java.util.ArrayList;
import java.util.List;

/** What is enqueued: no-ops with payloads of 100 bytes. */
final class Tasks {
  static final Kind<Json> NOOP = Kind.json("noop");
  private static final String PAD = "x".repeat(80);

  private Tasks() {}

  static NewTask<Json> task(int n) {
    return task(NOOP, n);
  }

  static NewTask<Json> task(Kind<Json> kind, int n) {
    return kind.task(new Json("{\"n\": " + n + ", \"pad\": \"" + PAD + "\"}"))
        .queue(BenchDatabase.QUEUE);
  }

  static List<NewTask<?>> tasks(int count) {
    List<NewTask<?>> tasks = new ArrayList<>(count);
    for (int n = 0; n < count; n++) tasks.add(task(n));
    return tasks;
  }
}
