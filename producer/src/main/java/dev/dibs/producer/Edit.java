package dev.dibs.producer;

import dev.dibs.Due;
import dev.dibs.Priority;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What is to be changed of a task that waits; what is not said stays. Immutable; the methods below
 * answer a changed copy.
 */
public record Edit(Optional<Object> payload, Optional<Due> due, Optional<Priority> priority) {
  /** Changes nothing. */
  public static final Edit NONE = new Edit(Optional.empty(), Optional.empty(), Optional.empty());

  /** Another payload: a value of the kind's type, or {@link dev.dibs.Json}. */
  public static Edit payload(Object payload) {
    return NONE.withPayload(payload);
  }

  public Edit withPayload(Object payload) {
    return new Edit(Optional.of(payload), due, priority);
  }

  /** To run as soon as may be. */
  public Edit now() {
    return new Edit(payload, Optional.of(new Due.Now()), priority);
  }

  /** To run no sooner than {@code delay} after the edit, by the database's clock. */
  public Edit delay(Duration delay) {
    return new Edit(payload, Optional.of(new Due.After(delay)), priority);
  }

  /** To run no sooner than {@code instant}; one that has passed means at once. */
  public Edit runAt(Instant instant) {
    return new Edit(payload, Optional.of(new Due.At(instant)), priority);
  }

  public Edit priority(Priority priority) {
    return new Edit(payload, due, Optional.of(priority));
  }

  /** Whether there is a payload; payloads never appear in logs or messages. */
  @Override
  public String toString() {
    return "Edit[payload %s, %s, %s]"
        .formatted(payload.isPresent() ? "given" : "kept", due, priority);
  }
}
