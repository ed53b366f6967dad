package dev.dibs.app;

import dev.dibs.QueueRow;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ObjectNode;

/** {@code dibs queues list}: the queues, which are paused, and how long they keep what ended. */
@Command(
    name = "list",
    description = "List the queues that have tasks, are served or were steered.")
final class QueueListCommand implements Callable<Integer> {
  private final Shell shell;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  @Option(names = "--json", description = "Print a JSON object a line for every queue.")
  boolean json;

  QueueListCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    List<QueueRow> queues = OperatorOptions.open(options, shell, "queues").queues();
    if (json) queues.forEach(queue -> shell.out().println(json(queue)));
    else if (queues.isEmpty()) shell.out().println("no queues");
    else table(queues).lines().forEach(shell.out()::println);
    return 0;
  }

  private static TextTable table(List<QueueRow> queues) {
    var table = new TextTable("QUEUE", "WORKERS", "SUCCEEDED", "DEAD", "CANCELLED", "STATE");
    for (QueueRow queue : queues)
      table.add(
          queue.name(),
          queue.workers(),
          kept(queue.retention().succeeded()),
          kept(queue.retention().dead()),
          kept(queue.retention().cancelled()),
          Steered.state(queue.pause()));
    return table;
  }

  private static String kept(Duration kept) {
    return kept.isZero() ? "not kept" : DurationText.show(kept);
  }

  private static ObjectNode json(QueueRow queue) {
    ObjectNode node =
        Steered.QUEUE.json(queue.name(), queue.pause()).put("workers", queue.workers());
    node.putObject("keptSeconds")
        .put("succeeded", queue.retention().succeeded().toSeconds())
        .put("dead", queue.retention().dead().toSeconds())
        .put("cancelled", queue.retention().cancelled().toSeconds());
    return node;
  }
}
