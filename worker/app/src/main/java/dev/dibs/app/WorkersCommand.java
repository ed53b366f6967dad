package dev.dibs.app;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code dibs workers}: which there are, and which of them are to take no more tasks. */
@Command(
    name = "workers",
    description = "List workers, and let one take no more tasks before it is stopped.",
    synopsisSubcommandLabel = "COMMAND")
final class WorkersCommand {
  private WorkersCommand() {}

  /** The command with all of its own commands. */
  static CommandLine with(Shell shell) {
    return new CommandLine(new WorkersCommand())
        .addSubcommand(new WorkerListCommand(shell))
        .addSubcommand(new WorkerDrainCommand(shell))
        .addSubcommand(new WorkerUndrainCommand(shell));
  }
}
