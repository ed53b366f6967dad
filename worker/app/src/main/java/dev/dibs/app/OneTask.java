package dev.dibs.app;

import dev.dibs.Json;
import dev.dibs.NewTask;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options that describe one task; with a file they hold for the lines that say nothing else.
 */
final class OneTask {
  @Mixin TaskContent content = new TaskContent();

  @Mixin UniqueOptions unique = new UniqueOptions();

  @Option(
      names = "--delay",
      paramLabel = "TIME",
      description = "Run no sooner than in 250ms, 30s, 5m, 2h, 1d or PT5M.")
  @Nullable Duration delay;

  @Option(
      names = "--run-at",
      paramLabel = "INSTANT",
      description = "Run no sooner than at 2030-01-31T02:30:00Z.")
  @Nullable Instant runAt;

  /**
   * The task that the options describe, unique where they say so.
   *
   * @throws UsageException if they describe none
   */
  NewTask<Json> uniqueTask(Shell shell) throws IOException {
    NewTask<Json> task = task(shell);
    try {
      return unique.unique().map(task::unique).orElse(task);
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }

  /**
   * The task that the options describe, as lines of a file begin with it.
   *
   * @throws UsageException if they describe none
   */
  NewTask<Json> task(Shell shell) throws IOException {
    if (delay != null && runAt != null) throw new UsageException("give either --delay or --run-at");
    NewTask<Json> task = content.task(shell);
    try {
      if (delay != null) task = task.delay(delay);
      return runAt == null ? task : task.runAt(runAt);
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }
}
