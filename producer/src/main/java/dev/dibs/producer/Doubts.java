package dev.dibs.producer;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.UUID;

/**
 * The ids of tasks of which nobody knows whether they were enqueued. Enqueued again, they are to be
 * looked for among the ended ones too. The newest are kept. Thread-safe.
 */
final class Doubts {
  private static final int KEPT = 10_000;

  private final Set<UUID> ids = new LinkedHashSet<>();
  private volatile boolean any;

  synchronized void add(Collection<UUID> doubtful) {
    for (UUID id : doubtful) {
      ids.add(id);
      if (ids.size() > KEPT) ids.remove(ids.iterator().next());
    }
    any = true;
  }

  boolean holdAny(Collection<UUID> asked) {
    return any && anyOf(asked);
  }

  private synchronized boolean anyOf(Collection<UUID> asked) {
    return asked.stream().anyMatch(ids::contains);
  }

  /** Of these it is known now. */
  void settle(Collection<UUID> known) {
    if (any) remove(known);
  }

  private synchronized void remove(Collection<UUID> known) {
    known.forEach(ids::remove);
    any = !ids.isEmpty();
  }
}
