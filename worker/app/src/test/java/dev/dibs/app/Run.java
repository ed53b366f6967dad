package dev.dibs.app;

import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** One command run in this process: its exit code and what it printed. */
record Run(int code, String out, String err) {

  static Run dibs(String... args) {
    return dibs("", Map.of(), args);
  }

  static Run dibs(String in, Map<String, String> environment, String... args) {
    var out = new StringWriter();
    var err = new StringWriter();
    int code = Dibs.run(shell(in, out, err, environment), args);
    return new Run(code, out.toString(), err.toString());
  }

  static Shell shell(
      String in, StringWriter out, StringWriter err, Map<String, String> environment) {
    return new Shell(
        new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)),
        new Output(out),
        new PrintWriter(err, true),
        environment,
        descriptor -> false);
  }
}
