package dev.dibs.app;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code dibs kinds}: which there are, and what is done to them by hand. */
@Command(
    name = "kinds",
    description = "List, pause and resume kinds, whatever queue their tasks are in.",
    synopsisSubcommandLabel = "COMMAND")
final class KindsCommand {
  private KindsCommand() {}

  /** The command with all of its own commands. */
  static CommandLine with(Shell shell) {
    return new CommandLine(new KindsCommand())
        .addSubcommand(new KindListCommand(shell))
        .addSubcommand(new PauseCommand(shell, Steered.KIND))
        .addSubcommand(new ResumeCommand(shell, Steered.KIND));
  }
}
