package dev.dibs.app;

import java.io.FileDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.lang.ProcessBuilder.Redirect;
import java.util.Map;
import java.util.function.IntPredicate;

/**
 * What surrounds a command: its streams and its environment.
 *
 * @param terminal whether a file descriptor, 1 for out and 2 for err, leads to a person
 */
record Shell(
    InputStream in,
    Output out,
    PrintWriter err,
    Map<String, String> environment,
    IntPredicate terminal) {
  private static final int OUT = 1;
  private static final int ERR = 2;

  Shell {
    environment = Map.copyOf(environment);
  }

  /** The shell that started this process. */
  static Shell system() {
    return new Shell(
        System.in,
        Output.to(FileDescriptor.out),
        Output.to(FileDescriptor.err),
        System.getenv(),
        Shell::isTerminal);
  }

  /** Java cannot tell before 22, and never for err alone; every Unix has {@code test -t}. */
  private static boolean isTerminal(int descriptor) {
    try {
      return new ProcessBuilder("test", "-t", Integer.toString(descriptor))
              .redirectInput(Redirect.INHERIT)
              .redirectOutput(Redirect.INHERIT)
              .redirectError(Redirect.INHERIT)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false; // no such program: no Unix
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  boolean outIsTerminal() {
    return terminal.test(OUT);
  }

  boolean errIsTerminal() {
    return terminal.test(ERR);
  }

  /** One line on err for a person: what is worth knowing and no error. */
  void say(String line) {
    err.println("dibs: " + line);
  }
}
