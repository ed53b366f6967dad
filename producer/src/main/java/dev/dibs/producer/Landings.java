package dev.dibs.producer;

import dev.dibs.Landing;
import dev.dibs.sql.InsertUniqueTasks.Landed;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What became of a load: the ids that were inserted, and how those landed that met a unique key.
 * Owned by one thread.
 */
final class Landings {
  private final Set<UUID> inserted;
  private final Map<UUID, Landed> met;

  private Landings(Set<UUID> inserted, Map<UUID, Landed> met) {
    this.inserted = inserted;
    this.met = met;
  }

  static Landings none() {
    return new Landings(new HashSet<>(), new HashMap<>());
  }

  /** Those of {@code inserted}; the set is taken over. */
  static Landings of(Set<UUID> inserted) {
    return new Landings(inserted, Map.of());
  }

  /** The same, and those that are unique. */
  static Landings of(Set<UUID> inserted, Map<UUID, Landed> unique) {
    Landings landings = none();
    landings.inserted.addAll(inserted);
    unique.forEach((id, landed) -> {
      if (landed.landing() == Landing.INSERTED) landings.inserted.add(id);
      else landings.met.put(id, landed);
    });
    return landings;
  }

  void add(UUID id) {
    inserted.add(id);
  }

  void addAll(Landings others) {
    inserted.addAll(others.inserted);
    met.putAll(others.met);
  }

  /** What became of one task. */
  Enqueued of(UUID id) {
    @Nullable Landed landed = met.get(id);
    if (landed != null) return new Enqueued(landed.id(), landed.landing());
    return new Enqueued(id, inserted.contains(id) ? Landing.INSERTED : Landing.ALREADY_THERE);
  }

  /** The ids of the tasks that are in the queue now and were not before. */
  Set<UUID> inserted() {
    return new HashSet<>(inserted);
  }

  /** The same where {@code ids} were taken back, because they had been there before. */
  Landings without(Set<UUID> ids) {
    if (ids.isEmpty()) return this;
    Landings left = none();
    left.addAll(this);
    left.inserted.removeAll(ids);
    left.met.keySet().removeAll(ids);
    return left;
  }
}
