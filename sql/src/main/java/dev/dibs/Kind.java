package dev.dibs;

import java.util.Objects;

/**
 * What a task does: a name that producers and workers agree on, and the record its payload is.
 *
 * <p>Kinds map to registered handlers by name only; a payload never names code. Immutable.
 *
 * @param name 1 to 128 characters without control characters; kept with every task
 * @param payloadType a record or another type that JSON can be bound to, or {@link Json} for the
 *     text itself
 */
public record Kind<T>(String name, Class<T> payloadType) {
  public Kind {
    Names.check("kind", name);
  }

  /**
   * The kind called {@code name} with payloads of {@code payloadType}.
   *
   * @throws IllegalArgumentException if the name is empty, too long or holds control characters
   */
  public static <T> Kind<T> of(String name, Class<T> payloadType) {
    return new Kind<>(name, payloadType);
  }

  /** The kind called {@code name} whose payload is JSON text, unread. */
  public static Kind<Json> json(String name) {
    return new Kind<>(name, Json.class);
  }

  /**
   * A new task of this kind: give it a queue, a delay and so on, then enqueue it.
   *
   * @throws NullPointerException if there is no payload
   */
  public NewTask<T> task(T payload) {
    Objects.requireNonNull(payload, () -> "a task of kind '" + name + "' has a payload, was null");
    return new NewTask<>(Uuid7.next(), this, payload, TaskOptions.DEFAULT);
  }
}
