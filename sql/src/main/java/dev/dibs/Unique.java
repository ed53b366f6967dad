package dev.dibs;

import java.time.Duration;
import java.util.List;

/**
 * That there shall be one task of a key in a queue, for how long, and what becomes of a second one.
 * Backed by an index, so it holds whoever enqueues at the same time. Immutable; the methods below
 * answer a changed copy.
 */
public record Unique(UniqueKey key, UniqueScope scope, OnConflict onConflict) {
  public Unique {
    if (scope instanceof UniqueScope.Window && onConflict.replaces())
      throw new IllegalArgumentException(
          "a unique key with a window goes with keep or reject, was %s: there may be nothing left to change"
              .formatted(onConflict.text()));
  }

  /** One of this key while it is unfinished; a second one is not taken. */
  public static Unique by(String key) {
    return new Unique(new UniqueKey.Given(key), new UniqueScope.WhileUnfinished(), OnConflict.KEEP);
  }

  /**
   * Likewise, by the kind and fields of the payload. A payload that lacks one of them is refused
   * when it is enqueued; null is a value.
   */
  public static Unique byFields(String... names) {
    return new Unique(
        new UniqueKey.OfFields(List.of(names)), new UniqueScope.WhileUnfinished(), OnConflict.KEEP);
  }

  /** Holds its key until the task is first claimed only. */
  public Unique untilStarted() {
    return new Unique(key, new UniqueScope.UntilStarted(), onConflict);
  }

  /** Holds its key at least so long after the enqueue, also when the task has ended. */
  public Unique forAtLeast(Duration window) {
    return new Unique(key, new UniqueScope.Window(window), onConflict);
  }

  public Unique onConflict(OnConflict policy) {
    return new Unique(key, scope, policy);
  }

  /**
   * The key as it is kept.
   *
   * @throws IllegalStateException if it is still to be made of the payload
   */
  public String givenKey() {
    return switch (key) {
      case UniqueKey.Given(String given) -> given;
      case UniqueKey.OfFields(var names) ->
          throw new IllegalStateException("the key was not yet made of the fields " + names);
    };
  }

  /**
   * Whether a task holds its key until it has ended. One that may change others lets it go when it
   * is first claimed, so that what comes after that is not lost.
   */
  public boolean holdsToTheEnd() {
    if (onConflict.replaces()) return false;
    return switch (scope) {
      case UniqueScope.WhileUnfinished all -> true;
      case UniqueScope.Window window -> true;
      case UniqueScope.UntilStarted start -> false;
    };
  }

  /** The same with its key worked out. */
  public Unique withKey(String given) {
    return new Unique(new UniqueKey.Given(given), scope, onConflict);
  }
}
