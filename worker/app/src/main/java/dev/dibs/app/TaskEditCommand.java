package dev.dibs.app;

import dev.dibs.DibsException;
import dev.dibs.Json;
import dev.dibs.Priority;
import dev.dibs.producer.Edit;
import dev.dibs.producer.Editor;
import dev.dibs.producer.ProducerSettings;
import dev.dibs.sql.EditTask;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs tasks edit}: changes a task that waits. */
@Command(
    name = "edit",
    description = "Change the payload, the run time or the priority of a task that waits.")
final class TaskEditCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "ID", description = "Which task.")
  UUID id = new UUID(0, 0);

  @Option(names = "--payload", paramLabel = "JSON|@FILE|-", description = "Any JSON value.")
  @Nullable String payload;

  @Option(
      names = "--delay",
      paramLabel = "TIME",
      description = "Run no sooner than in 250ms, 30s, 5m, 2h, 1d or PT5M; 0s: now.")
  @Nullable Duration delay;

  @Option(
      names = "--run-at",
      paramLabel = "INSTANT",
      description = "Run no sooner than at 2030-01-31T02:30:00Z.")
  @Nullable Instant runAt;

  @Option(names = "--priority", description = "urgent, high, normal, low, or 1 to 4.")
  @Nullable Priority priority;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  TaskEditCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    var editor =
        Editor.on(
            TasksCommand.open(options, shell),
            ProducerSettings.DEFAULT.withSchema(options.schema()));
    EditTask.Found found = editor.edit(id, edit()).orElseThrow(() -> TasksCommand.unknown(id));
    if (!found.edited())
      throw new DibsException(
          "task %s is %s and was left as it is: only a task that waits can be edited"
              .formatted(id, found.status()));
    shell.out().println("edited task " + id + ", it is " + found.status());
    return 0;
  }

  private Edit edit() throws IOException {
    if (delay != null && runAt != null) throw new UsageException("give either --delay or --run-at");
    Edit edit = Edit.NONE;
    if (payload != null) edit = edit.withPayload(new Json(PayloadText.read(payload, shell)));
    if (priority != null) edit = edit.priority(priority);
    if (delay != null) edit = edit.delay(delay);
    if (runAt != null) edit = edit.runAt(runAt);
    if (edit.equals(Edit.NONE))
      throw new UsageException(
          "give --payload, --delay, --run-at or --priority: nothing is to be changed");
    return edit;
  }
}
