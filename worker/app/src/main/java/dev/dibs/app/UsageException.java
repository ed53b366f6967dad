package dev.dibs.app;

import dev.dibs.DibsException;

/** The user asked for something that cannot be meant. The command ends with exit code 2. */
final class UsageException extends DibsException {
  UsageException(String message) {
    super(message);
  }
}
