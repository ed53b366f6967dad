package dev.dibs.worker;

import dev.dibs.Codec;
import dev.dibs.Text;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The error of a run as it is kept with the task: class, message and stack, cut and made fit for
 * PostgreSQL, and a group that errors of one cause share.
 */
final class TaskError {
  private static final int MESSAGE_KEPT = 8 << 10;
  private static final int STACK_KEPT = 8 << 10;

  private TaskError() {}

  static String of(String name, String message) {
    return of(name, message, null);
  }

  /**
   * The error as a JSON object; {@code cause} gives class and stack where there was an exception.
   */
  static String of(String name, String message, @Nullable Throwable cause) {
    String type = cause == null ? name : cause.getClass().getName();
    String text = Text.cut(Text.storable(message), MESSAGE_KEPT);
    Map<String, String> error = new LinkedHashMap<>();
    error.put("class", Text.storable(type));
    error.put("message", text);
    error.put(
        "group",
        Integer.toHexString((type + frame(cause) + text.replaceAll("\\d+", "#")).hashCode()));
    if (cause != null) error.put("stack", Text.cut(Text.storable(stack(cause)), STACK_KEPT));
    return Codec.jackson().encode(error);
  }

  private static String frame(@Nullable Throwable cause) {
    if (cause == null || cause.getStackTrace().length == 0) return "";
    StackTraceElement first = cause.getStackTrace()[0];
    return first.getClassName() + "." + first.getMethodName();
  }

  /** The stack, or the class alone where the exception cannot even print itself. */
  private static String stack(Throwable cause) {
    var text = new StringWriter();
    try {
      cause.printStackTrace(new PrintWriter(text, true));
    } catch (RuntimeException | StackOverflowError e) { // causes are printed by recursion
      text.append(cause.getClass().getName());
    }
    return text.toString();
  }

  /** What {@code cause} says, or its class where it cannot even say that. */
  static String message(Throwable cause) {
    try {
      return String.valueOf(cause.getMessage());
    } catch (RuntimeException e) {
      return cause.getClass().getName();
    }
  }
}
