package dev.dibs.app;

import dev.dibs.TaskPage;
import dev.dibs.operations.Operations;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ObjectNode;

/** {@code dibs tasks show}: one task with its attempts and their errors. */
@Command(name = "show", description = "Show a task with its attempts and their errors.")
final class TaskShowCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "ID", description = "Which task.")
  UUID id = new UUID(0, 0);

  @Option(names = "--payload", description = "Also what it carries; the audit tells who looked.")
  boolean payload;

  @Option(
      names = "--why",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "With --payload: kept in the audit.")
  String why = "";

  @Option(names = "--json", description = "Print a JSON object.")
  boolean json;

  @Mixin OperatorOptions options = new OperatorOptions();

  TaskShowCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    Operations operations = options.open(shell, "tasks");
    TaskPage page = operations.find(id).orElseThrow(() -> TasksCommand.unknown(id));
    Optional<String> carried =
        payload
            ? OperatorOptions.meant(() -> operations.reveal(id, options.request(why)))
            : Optional.empty();
    if (json) {
      ObjectNode node = TaskText.json(page);
      carried.ifPresent(text -> node.put("payload", text));
      shell.out().println(node);
    } else {
      TaskText.lines(page).forEach(shell.out()::println);
      carried.ifPresent(text -> shell.out().println("payload   " + text));
    }
    return 0;
  }
}
