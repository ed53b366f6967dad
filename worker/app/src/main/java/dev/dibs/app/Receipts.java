package dev.dibs.app;

import dev.dibs.Landing;
import dev.dibs.producer.Enqueued;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Tells the user what was enqueued, and only once it is committed: a count and the id of a single
 * task, or with JSON one line a task.
 *
 * <p>Until the commit the lines wait in a file, so that millions of them need no memory. Owned by
 * one thread.
 */
final class Receipts implements AutoCloseable {
  private final Shell shell;
  private final boolean json;
  private @Nullable Path file;
  private @Nullable BufferedWriter waiting;
  private @Nullable UUID last;
  private final Map<Landing, Long> committed = new EnumMap<>(Landing.class);
  private final Map<Landing, Long> pending = new EnumMap<>(Landing.class);

  Receipts(Shell shell, boolean json) {
    this.shell = shell;
    this.json = json;
  }

  /** Keeps what was enqueued in a transaction that is still open. */
  void add(List<Enqueued> enqueued) {
    for (Enqueued task : enqueued) {
      pending.merge(task.landing(), 1L, Long::sum);
      last = task.id();
    }
    if (json) write(enqueued);
  }

  private void write(List<Enqueued> enqueued) {
    try {
      if (file == null) file = Files.createTempFile("dibs-receipts", ".jsonl");
      if (waiting == null) waiting = Files.newBufferedWriter(file);
      for (Enqueued task : enqueued) waiting.write(line(task));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a machine reads of a task that was enqueued: a JSON object and a line feed. */
  static String line(Enqueued task) {
    return "{\"id\":\"%s\",\"inserted\":%s,\"landing\":\"%s\"}\n"
        .formatted(task.id(), task.inserted(), task.landing());
  }

  /** The transaction was committed: prints the lines that waited. */
  void committed() {
    pending.forEach((landing, count) -> committed.merge(landing, count, Long::sum));
    pending.clear();
    if (waiting == null || file == null) return;
    try {
      waiting.close();
      waiting = null;
      try (var lines = Files.lines(file)) {
        lines.forEach(line -> shell.out().print(line + "\n"));
      }
      shell.out().flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Prints the count, where no JSON is wanted, and the id of a single task, its own or that of the
   * task that holds its unique key.
   */
  void summarize() {
    if (json) return;
    long enqueued = 0;
    long all = 0;
    List<String> others = new ArrayList<>();
    for (var each : committed.entrySet()) {
      if (each.getKey().isInserted()) enqueued += each.getValue();
      all += each.getValue();
      @Nullable String what = what(each.getKey());
      if (what != null) others.add(each.getValue() + " " + what);
    }
    String besides = others.isEmpty() ? "" : " (" + String.join(", ", others) + ")";
    String id = all == 1 ? ": " + last : "";
    shell
        .out()
        .println("enqueued " + enqueued + (enqueued == 1 ? " task" : " tasks") + besides + id);
  }

  private static @Nullable String what(Landing landing) {
    return switch (landing) {
      case INSERTED -> null;
      case ALREADY_THERE -> "were there already";
      case KEPT -> "left to others of their unique keys";
      case REPLACED -> "replaced others of their unique keys";
      case POSTPONED -> "postponed others of their unique keys";
      case REJECTED -> "rejected for others of their unique keys";
    };
  }

  @Override
  public void close() {
    try {
      if (waiting != null) waiting.close();
      if (file != null) Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
