package dev.dibs.app;

import dev.dibs.Json;
import dev.dibs.PayloadException;
import java.util.List;

/**
 * What a task of kind {@code exec} asks for. Immutable.
 *
 * @param command a program and its arguments
 * @param stdin what the program reads
 */
record ExecCall(List<String> command, String stdin) {
  ExecCall {
    command = List.copyOf(command);
    if (command.isEmpty()) throw new PayloadException("the payload has no command");
    if (command.stream().anyMatch(part -> part.indexOf('\0') >= 0)) {
      throw new PayloadException("the payload's command must hold no NUL");
    }
  }

  /**
   * The call that a payload means; without {@code stdin} the program reads the payload itself.
   *
   * @throws PayloadException if it means none
   */
  static ExecCall parse(Json payload) {
    var fields = PayloadFields.of(payload);
    return new ExecCall(
        fields.texts("command"),
        fields.value("stdin").map(PayloadFields::plain).orElse(payload.text()));
  }

  String program() {
    return command.getFirst();
  }

  /** The program only: arguments are payload. */
  @Override
  public String toString() {
    return program();
  }
}
