package dev.dibs;

import org.jspecify.annotations.Nullable;

/**
 * A payload or headers that cannot be kept or read: not JSON, too large, too deep. Nothing was
 * enqueued.
 */
public final class PayloadException extends DibsException {
  public PayloadException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  public PayloadException(String message) {
    super(message);
  }
}
