package dev.dibs.app;

import dev.dibs.BulkRow;
import dev.dibs.DibsException;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs bulk show}: how far one is, and what it left alone. */
@Command(name = "show", description = "Show how far a bulk is, and why it left tasks alone.")
final class BulkShowCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "BULK", description = "Which one.")
  UUID id = new UUID(0, 0);

  @Option(names = "--json", description = "Print a JSON object.")
  boolean json;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  BulkShowCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    BulkRow row =
        BulkRun.on(options, shell)
            .bulks()
            .find(id)
            .orElseThrow(() ->
                new DibsException(
                    "there is no bulk %s; `dibs bulk list` shows those there are".formatted(id)));
    if (json) shell.out().println(BulkText.json(row));
    else BulkText.lines(row).forEach(shell.out()::println);
    return 0;
  }
}
