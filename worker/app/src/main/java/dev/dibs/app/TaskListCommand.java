package dev.dibs.app;

import dev.dibs.Page;
import dev.dibs.TaskRow;
import dev.dibs.operations.Operations;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dibs tasks list}: tasks of one status, a page at a time. */
@Command(
    name = "list",
    description = {
      "List the tasks of a status, unfinished or finished, that match the other options.",
      "PENDING in the order in which they run, SCHEDULED the next first, finished the newest first."
    })
final class TaskListCommand implements Callable<Integer> {
  private final Shell shell;

  @Mixin FilterOptions filter = new FilterOptions();

  @Option(
      names = "--size",
      paramLabel = "N",
      defaultValue = "50",
      description = "So many at the most.")
  int size = 50;

  @Option(
      names = "--after",
      paramLabel = "CURSOR",
      description = "Go on where a page ended that said so.")
  @Nullable String after;

  @Option(names = "--json", description = "Print a JSON object a line for every task.")
  boolean json;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  TaskListCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    Operations operations = OperatorOptions.open(options, shell, "tasks");
    Page<TaskRow> page =
        OperatorOptions.meant(() ->
            operations.list(
                filter.filter(), Optional.ofNullable(after).map(Page.Cursor::new), size));
    if (json) page.rows().forEach(row -> shell.out().println(TaskText.json(row)));
    else if (!page.rows().isEmpty())
      TaskText.table(page.rows()).lines().forEach(shell.out()::println);
    else shell.out().println(page.isLast() ? "no such tasks" : "none so far");
    page.next()
        .ifPresent(next ->
            shell.say(
                "looked at %,d tasks, there are more: --after %s"
                    .formatted(page.looked(), next.text())));
    return 0;
  }
}
