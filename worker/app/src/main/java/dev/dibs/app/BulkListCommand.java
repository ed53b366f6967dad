package dev.dibs.app;

import dev.dibs.BulkRow;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dibs bulk list}: the newest bulks. */
@Command(name = "list", description = "List the newest bulks.")
final class BulkListCommand implements Callable<Integer> {
  private static final int MOST = 1_000;

  private final Shell shell;

  @Option(names = "--size", paramLabel = "N", defaultValue = "20", description = "So many.")
  int size = 20;

  @Option(names = "--json", description = "Print a JSON object a line for every bulk.")
  boolean json;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  BulkListCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (size < 1 || size > MOST)
      throw new UsageException("--size must be 1 to %d, was %d".formatted(MOST, size));
    List<BulkRow> rows = BulkRun.on(options, shell).bulks().list(Optional.empty(), size);
    if (json) rows.forEach(row -> shell.out().println(BulkText.json(row)));
    else if (rows.isEmpty()) shell.out().println("no bulks");
    else table(rows).lines().forEach(shell.out()::println);
    return 0;
  }

  private static TextTable table(List<BulkRow> rows) {
    var table =
        new TextTable(
            "BULK", "STARTED", "ACTION", "TASKS", "QUEUE", "STATUS", "COUNTS", "BY", "WHY");
    for (BulkRow row : rows)
      table.add(
          row.id(),
          row.times().started().truncatedTo(ChronoUnit.SECONDS),
          row.order().change().action(),
          row.order().filter().status(),
          row.order().filter().queue().orElse("-"),
          BulkText.state(row),
          BulkText.counts(row),
          row.asked().actor(),
          row.asked().why());
    return table;
  }
}
