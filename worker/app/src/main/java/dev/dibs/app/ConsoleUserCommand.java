package dev.dibs.app;

import dev.dibs.console.Role;
import dev.dibs.console.Users;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dibs console user}: a line for the file of {@code --users}. */
@Command(
    name = "user",
    description = {
      "Print a line for the users' file; the password is the first line of the standard input.",
      "",
      "dibs console user ana --role operator >> users"
    })
final class ConsoleUserCommand implements Callable<Integer> {
  private final Shell shell;

  @Parameters(paramLabel = "NAME", description = "Who logs in.")
  String name = "";

  @Option(
      names = "--role",
      paramLabel = "ROLE",
      defaultValue = "viewer",
      description = "viewer, operator or admin.")
  String role = "viewer";

  ConsoleUserCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws IOException {
    if (shell.errIsTerminal()) shell.say("the password, then Enter (it can be seen):");
    var in = new BufferedReader(new InputStreamReader(shell.in(), StandardCharsets.UTF_8));
    String password = in.readLine();
    try {
      shell.out().println(Users.line(name, Role.of(role), password == null ? "" : password));
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
    return 0;
  }
}
