package dev.dibs.app;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code dibs bulk}: the changes to many tasks that `dibs tasks` and others have begun. */
@Command(
    name = "bulk",
    description = "List, show, interrupt and resume changes to many tasks.",
    synopsisSubcommandLabel = "COMMAND")
final class BulkCommand {
  private BulkCommand() {}

  /** The command with all of its own commands. */
  static CommandLine with(Shell shell) {
    return new CommandLine(new BulkCommand())
        .addSubcommand(new BulkListCommand(shell))
        .addSubcommand(new BulkShowCommand(shell))
        .addSubcommand(new BulkInterruptCommand(shell))
        .addSubcommand(new BulkResumeCommand(shell));
  }
}
