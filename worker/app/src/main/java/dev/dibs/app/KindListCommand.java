package dev.dibs.app;

import dev.dibs.KindRow;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dibs kinds list}: the kinds that live workers know, and which are paused. */
@Command(name = "list", description = "List the kinds that live workers know or that were paused.")
final class KindListCommand implements Callable<Integer> {
  private final Shell shell;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  @Option(names = "--json", description = "Print a JSON object a line for every kind.")
  boolean json;

  KindListCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    List<KindRow> kinds = OperatorOptions.open(options, shell, "kinds").kinds();
    if (json)
      for (KindRow kind : kinds)
        shell
            .out()
            .println(Steered.KIND.json(kind.name(), kind.pause()).put("workers", kind.workers()));
    else if (kinds.isEmpty()) shell.out().println("no kinds");
    else {
      var table = new TextTable("KIND", "WORKERS", "STATE");
      kinds.forEach(kind -> table.add(kind.name(), kind.workers(), Steered.state(kind.pause())));
      table.lines().forEach(shell.out()::println);
    }
    return 0;
  }
}
