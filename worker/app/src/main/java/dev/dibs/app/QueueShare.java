package dev.dibs.app;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Text;

/**
 * A queue and how many of its tasks one worker runs at once.
 *
 * @param concurrency 1 to 10,000
 */
record QueueShare(String queue, int concurrency) {
  private static final int MOST = 10_000;

  QueueShare {
    Kind.json("any").task(new Json("null")).queue(queue); // refuses a name that no task can have
    if (concurrency < 1 || concurrency > MOST) {
      throw new IllegalArgumentException(
          "the concurrency of queue '%s' must be 1 to %d, was %d"
              .formatted(queue, MOST, concurrency));
    }
  }

  /**
   * Reads {@code NAME=N}.
   *
   * @throws IllegalArgumentException if the text is nothing of the kind
   */
  static QueueShare parse(String text) {
    int sign = text.lastIndexOf('=');
    if (sign > 0 && text.substring(sign + 1).matches("\\d{1,9}")) {
      return new QueueShare(text.substring(0, sign), Integer.parseInt(text.substring(sign + 1)));
    }
    throw new IllegalArgumentException(
        "a queue must be NAME=N like mail=5, was '" + Text.cut(Text.storable(text), 40) + "'");
  }

  @Override
  public String toString() {
    return queue + "=" + concurrency;
  }
}
