package dev.dibs.operations;

import java.util.List;

/**
 * What one check of the doctor's came to. Immutable.
 *
 * @param check its name, which does not change, such as {@code held-snapshot}; the README lists
 *     them
 * @param sentence what was found, on one line; it may quote names that anybody has chosen
 * @param evidence what that rests on, a line each; often empty, at most ten
 * @param cure what to do about it, often a command to copy; empty where there is nothing to be done
 */
public record Finding(
    String check, Severity severity, String sentence, List<String> evidence, String cure) {
  /** How bad it is; the order is that in which findings are shown. */
  public enum Severity {
    /** A person should do something. */
    ATTENTION,
    /** Worth knowing; nothing breaks. */
    NOTE,
    /** Could not be checked; the cure says what would allow it. */
    UNKNOWN,
    /** As it should be. */
    OK
  }

  public Finding {
    evidence = List.copyOf(evidence);
  }

  /** Whether a person should do something. */
  public boolean needsAttention() {
    return severity == Severity.ATTENTION;
  }
}
