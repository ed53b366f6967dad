package dev.dibs.app;

import dev.dibs.producer.Enqueued;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Tells the user what was enqueued, and only once it is committed: a count, or with JSON one line a
 * task.
 *
 * <p>Until the commit the lines wait in a file, so that millions of them need no memory. Owned by
 * one thread.
 */
final class Receipts implements AutoCloseable {
  private final Shell shell;
  private final boolean json;
  private @Nullable Path file;
  private @Nullable BufferedWriter waiting;
  private long committed;
  private long committedBefore;
  private long pending;
  private long pendingBefore;

  Receipts(Shell shell, boolean json) {
    this.shell = shell;
    this.json = json;
  }

  /** Keeps what was enqueued in a transaction that is still open. */
  void add(List<Enqueued> enqueued) {
    for (Enqueued task : enqueued) {
      if (task.inserted()) pending++;
      else pendingBefore++;
    }
    if (json) write(enqueued);
  }

  private void write(List<Enqueued> enqueued) {
    try {
      if (file == null) file = Files.createTempFile("dibs-receipts", ".jsonl");
      if (waiting == null) waiting = Files.newBufferedWriter(file);
      for (Enqueued task : enqueued) {
        waiting.write("{\"id\":\"" + task.id() + "\",\"inserted\":" + task.inserted() + "}\n");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The transaction was committed: prints the lines that waited. */
  void committed() {
    committed += pending;
    committedBefore += pendingBefore;
    pending = 0;
    pendingBefore = 0;
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

  /** Prints the count, where no JSON is wanted. */
  void summarize() {
    if (json) return;
    String before = committedBefore == 0 ? "" : " (" + committedBefore + " were there already)";
    shell.out().println("enqueued " + committed + (committed == 1 ? " task" : " tasks") + before);
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
