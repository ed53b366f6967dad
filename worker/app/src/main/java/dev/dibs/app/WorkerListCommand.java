package dev.dibs.app;

import dev.dibs.WorkerRow;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** {@code dibs workers list}: the worker processes by their ids, and which are to drain. */
@Command(name = "list", description = "List the worker processes.")
final class WorkerListCommand implements Callable<Integer> {
  private static final JsonMapper JSON = JsonMapper.shared();

  private final Shell shell;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  @Option(names = "--json", description = "Print a JSON object a line for every worker.")
  boolean json;

  WorkerListCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    List<WorkerRow> workers = OperatorOptions.open(options, shell, "workers").workers();
    if (json) workers.forEach(worker -> shell.out().println(json(worker)));
    else if (workers.isEmpty()) shell.out().println("no workers");
    else table(workers).lines().forEach(shell.out()::println);
    return 0;
  }

  private static TextTable table(List<WorkerRow> workers) {
    var table = new TextTable("WORKER", "HOST", "PID", "RUNNING", "STATUS", "QUEUES", "DRAIN");
    for (WorkerRow worker : workers)
      table.add(
          worker.id(),
          worker.home().host(),
          worker.home().pid(),
          worker.state().running() + "/" + worker.concurrency(),
          worker.state().status(),
          String.join(" ", worker.queues()),
          worker.drain().map(drain -> "by " + drain.by() + ": " + drain.why()).orElse("-"));
    return table;
  }

  private static ObjectNode json(WorkerRow worker) {
    ObjectNode node =
        JSON.createObjectNode()
            .put("id", worker.id().toString())
            .put("host", worker.home().host())
            .put("pid", worker.home().pid())
            .put("version", worker.home().version())
            .put("status", worker.state().status())
            .put("running", worker.state().running())
            .put("concurrency", worker.concurrency());
    var queues = node.putArray("queues");
    worker.queues().forEach(queues::add);
    Steered.put(node, "drain", worker.drain());
    return node;
  }
}
