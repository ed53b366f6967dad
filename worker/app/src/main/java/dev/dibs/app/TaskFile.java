package dev.dibs.app;

import dev.dibs.DibsException;
import dev.dibs.Json;
import dev.dibs.NewTask;
import java.io.IOException;
import java.util.function.Consumer;

/**
 * A file with one task a line on its way in: all of it in one transaction, or with {@code
 * keepGoing} batch by batch without the bad lines. Owned by one thread.
 */
final class TaskFile {
  private final LineReader lines;
  private final TaskLine reader;
  private final EnqueueSession session;
  private final ProgressBar progress;
  private final boolean keepGoing;
  private final Shell shell;
  private final TaskBatch batch;
  private final Consumer<DibsException> onBad;
  private long tasks;
  private long bad;

  TaskFile(
      LineReader lines,
      TaskLine reader,
      EnqueueSession session,
      ProgressBar progress,
      boolean keepGoing,
      Shell shell) {
    this.lines = lines;
    this.reader = reader;
    this.session = session;
    this.progress = progress;
    this.keepGoing = keepGoing;
    this.shell = shell;
    this.batch = new TaskBatch(session);
    this.onBad = keepGoing ? this::report : TaskFile::fail;
  }

  /**
   * Enqueues what the lines say and commits; answers how many lines were bad.
   *
   * @throws DibsException at the first bad line, unless the good ones are to go on; nothing is
   *     committed then
   */
  long enqueue() throws IOException {
    while (lines.next()) {
      take();
      progress.reach(lines.bytesRead(), tasks + " tasks");
      if (!batch.isFull()) continue;
      batch.enqueue(onBad);
      if (keepGoing) session.commit();
    }
    batch.enqueue(onBad);
    session.commit();
    return bad;
  }

  private void take() {
    NewTask<Json> task;
    try {
      String text = lines.text();
      if (text == null) return;
      task = reader.parse(text);
      session.check(task);
    } catch (DibsException e) {
      batch.enqueue(onBad); // what is wrong with the lines before comes first
      onBad.accept(new DibsException("line " + lines.number() + ": " + e.getMessage(), e));
      return;
    }
    batch.add(lines.number(), task);
    tasks++;
  }

  private static void fail(DibsException e) {
    throw new DibsException(
        e.getMessage() + "; nothing was enqueued, --keep-going leaves out the bad lines", e);
  }

  private void report(DibsException e) {
    bad++;
    progress.wipe();
    shell.say(String.valueOf(e.getMessage()));
  }
}
