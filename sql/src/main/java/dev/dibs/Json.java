package dev.dibs;

/**
 * A payload that is JSON text already. It is checked when it is enqueued.
 *
 * @param text one JSON value
 */
public record Json(String text) {
  /** The length only: payloads never appear in logs or messages. */
  @Override
  public String toString() {
    return "Json[" + text.length() + " chars]";
  }
}
