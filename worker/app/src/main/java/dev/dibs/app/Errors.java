package dev.dibs.app;

import dev.dibs.DibsException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Turns whatever went wrong into one line on err and an exit code: 1 for failed, 2 for wrong usage.
 */
final class Errors implements IParameterExceptionHandler, IExecutionExceptionHandler {
  static final int FAILED = 1;
  static final int WRONG_USAGE = 2;

  private final Shell shell;

  Errors(Shell shell) {
    this.shell = shell;
  }

  @Override
  public int handleParseException(ParameterException e, String[] arguments) {
    return wrongUsage(e.getCommandLine(), message(e));
  }

  private static String message(ParameterException e) {
    if (!(e instanceof UnmatchedArgumentException unmatched) || unmatched.isUnknownOption())
      return text(e);
    String argument = unmatched.getUnmatched().getFirst();
    if (e.getCommandLine().getSubcommands().isEmpty())
      return "unexpected argument '" + argument + "'";
    String meant =
        unmatched.getSuggestions().stream()
            .limit(1)
            .map(s -> ", did you mean '" + s + "'?")
            .findFirst()
            .orElse("");
    return "unknown command '" + argument + "'" + meant;
  }

  @Override
  public int handleExecutionException(Exception e, CommandLine command, ParseResult parsed) {
    if (debugs(command)) e.printStackTrace(shell.err());
    return switch (e) {
      case UsageException wrong -> wrongUsage(command, text(wrong));
      case DibsException failed -> failed(text(failed));
      case IOException failed -> failed(text(failed));
      case UncheckedIOException failed -> failed(text(failed));
      case InterruptedException stopped -> failed("interrupted");
      default ->
          failed(
              e.getClass().getName()
                  + ": "
                  + text(e)
                  + "; this is a bug in dibs, --debug prints the stack trace");
    };
  }

  private static boolean debugs(CommandLine command) {
    Object root = command.getCommandSpec().root().userObject();
    return root instanceof Dibs dibs && dibs.debug;
  }

  private int wrongUsage(CommandLine command, String message) {
    shell.say(message + "; see `" + command.getCommandSpec().qualifiedName() + " --help`");
    return WRONG_USAGE;
  }

  private int failed(String message) {
    shell.say(message);
    return FAILED;
  }

  /** The message on one line; PostgreSQL and Flyway write several. */
  static String text(Exception e) {
    String message = e.getMessage() == null ? "no message" : e.getMessage();
    return message
        .lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty())
        .collect(Collectors.joining(" "));
  }
}
