package dev.dibs.app;

import dev.dibs.DatabaseException;
import dev.dibs.Json;
import dev.dibs.NewTask;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs enqueue}: one task from options, or many from a file with one JSON object a line. */
@Command(
    name = "enqueue",
    description = {
      "Enqueue one task, or those of a file: all of them or none.",
      "",
      "A line of the file is a JSON object with kind, payload, queue, priority, delay, runAt, maxAttempts, timeout,"
          + " headers, uniqueKey, uniqueBy, uniqueUntil, uniqueWindow, onConflict. The options hold for the lines that say nothing else."
    })
final class EnqueueCommand implements Callable<Integer> {
  private static final String STANDARD_INPUT = "-";

  private final Shell shell;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  @Mixin OneTask one = new OneTask();

  @Parameters(
      arity = "0..1",
      paramLabel = "FILE|-",
      description = "One JSON object a line; - reads standard input.")
  @Nullable String file;

  @Option(
      names = "--keep-going",
      description = "Enqueue the good lines of a file, report the bad ones, exit with 1.")
  boolean keepGoing;

  @Option(names = "--any-kind", description = "Take kinds too that none of the live workers knows.")
  boolean anyKind;

  @Option(
      names = "--json",
      description = "Print a line {\"id\":…,\"inserted\":…,\"landing\":…} for every task.")
  boolean json;

  EnqueueCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (file == null && one.content.kind == null)
      throw new UsageException("give --kind for one task, or a FILE");
    if (STANDARD_INPUT.equals(file) && STANDARD_INPUT.equals(one.content.payload)) {
      throw new UsageException("standard input can be the FILE or the --payload, not both");
    }
    return file == null ? enqueueOne(one.uniqueTask(shell)) : enqueueFile(one.task(shell), file);
  }

  private int enqueueOne(NewTask<Json> task) throws InterruptedException {
    try (var receipts = new Receipts(shell, json);
        var session =
            EnqueueSession.open(options.find(shell, "enqueue"), receipts, anyKind, shell)) {
      session.check(task);
      session.enqueue(List.of(task));
      session.commit();
      receipts.summarize();
      return 0;
    } catch (SQLException e) {
      throw new DatabaseException("the task could not be enqueued", e);
    }
  }

  private int enqueueFile(NewTask<Json> defaults, String file)
      throws IOException, InterruptedException {
    boolean piped = file.equals(STANDARD_INPUT);
    Path path = Path.of(file);
    if (!piped && (!Files.isReadable(path) || Files.isDirectory(path))) {
      throw new UsageException("file " + file + " cannot be read");
    }
    var lines = new TaskLine(defaults, one.unique, one.content.kind != null);
    try (var receipts = new Receipts(shell, json);
        var session =
            EnqueueSession.open(options.find(shell, "enqueue"), receipts, anyKind, shell);
        InputStream in = piped ? shell.in() : Files.newInputStream(path);
        var progress = ProgressBar.on(shell, "enqueuing", piped ? 0 : Files.size(path))) {
      long bad =
          new TaskFile(new LineReader(in), lines, session, progress, keepGoing, shell).enqueue();
      progress.wipe();
      receipts.summarize();
      return bad == 0 ? 0 : Errors.FAILED;
    } catch (SQLException e) {
      throw new DatabaseException("the tasks could not be enqueued", e);
    }
  }
}
