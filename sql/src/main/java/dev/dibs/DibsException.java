package dev.dibs;

import org.jspecify.annotations.Nullable;

/**
 * The root of what Dibs throws. Its message says what happened, with which values, and the way out.
 */
public class DibsException extends RuntimeException {
  public DibsException(String message) {
    super(message);
  }

  public DibsException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
