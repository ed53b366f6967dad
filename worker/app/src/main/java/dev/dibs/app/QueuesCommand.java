package dev.dibs.app;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code dibs queues}: which there are, and what is done to them by hand. */
@Command(
    name = "queues",
    description = "List, pause and resume queues, and say how long they keep what has ended.",
    synopsisSubcommandLabel = "COMMAND")
final class QueuesCommand {
  private QueuesCommand() {}

  /** The command with all of its own commands. */
  static CommandLine with(Shell shell) {
    return new CommandLine(new QueuesCommand())
        .addSubcommand(new QueueListCommand(shell))
        .addSubcommand(new PauseCommand(shell, Steered.QUEUE))
        .addSubcommand(new ResumeCommand(shell, Steered.QUEUE))
        .addSubcommand(new QueueRetainCommand(shell));
  }
}
