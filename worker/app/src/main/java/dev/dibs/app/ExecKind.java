package dev.dibs.app;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.PayloadException;
import dev.dibs.Text;
import dev.dibs.worker.RunningTask;
import dev.dibs.worker.TaskHandler;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Set;

/**
 * The built-in kind {@code exec}: runs a program that is on the allow-list; no shell is between.
 * Thread-safe.
 */
final class ExecKind implements TaskHandler<Json> {
  static final Kind<Json> KIND = Kind.json("exec");
  private static final int EX_TEMPFAIL = 75;
  private static final Duration NOT_NOW = Duration.ofMinutes(1);

  private final Set<String> allowed;

  /** Runs the programs at these absolute paths. */
  ExecKind(Collection<String> allowed) {
    for (String program : allowed) {
      if (!Path.of(program).isAbsolute()) {
        throw new UsageException(
            "--exec-allow must be an absolute path like /usr/bin/true, was '" + program + "'");
      }
    }
    this.allowed = Set.copyOf(allowed);
  }

  @Override
  public Outcome handle(Json payload, RunningTask task) throws InterruptedException {
    try {
      ExecCall call = ExecCall.parse(payload);
      if (allowed.contains(call.program())) return run(call, task);
      String program = Text.cut(call.program(), 100);
      return Outcome.dead("no --exec-allow of this worker is '" + program + "'");
    } catch (PayloadException e) {
      return Outcome.dead(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      return Outcome.retry(String.valueOf(e.getMessage()));
    }
  }

  private static Outcome run(ExecCall call, RunningTask task)
      throws IOException, InterruptedException {
    ExecRun run =
        ExecRun.start(
            call,
            Map.of(
                "DIBS_TASK_ID",
                task.id().toString(),
                "DIBS_ATTEMPT",
                Integer.toString(task.attempt())));
    int code = run.awaitExit();
    return switch (code) {
      case 0 -> Outcome.done();
      case EX_TEMPFAIL -> Outcome.snooze(NOT_NOW);
      default -> Outcome.retry(call + " ended with exit code " + code + lastWords(run));
    };
  }

  private static String lastWords(ExecRun run) throws InterruptedException {
    String words = run.lastWords();
    return words.isEmpty() ? "" : ": " + words;
  }
}
