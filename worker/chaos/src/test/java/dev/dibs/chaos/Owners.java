package dev.dibs.chaos;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Which process a worker row belongs to, and whether it counted as alive at a moment. */
final class Owners {
  private final Map<UUID, NavigableMap<Long, Audit.Life>> lives = new HashMap<>();

  Owners(List<Audit.Life> changes) {
    for (Audit.Life life : changes)
      lives.computeIfAbsent(life.worker(), any -> new TreeMap<>()).put(life.seq(), life);
  }

  /** The process that registered the row; empty if the database has lost that. */
  Optional<String> of(@Nullable UUID worker) {
    return Optional.ofNullable(lives.get(worker))
        .map(life -> life.firstEntry().getValue())
        .filter(first -> first.op().equals("insert"))
        .map(Audit.Life::actor);
  }

  /** Whether the row was there and not declared dead when {@code seq} was drawn. */
  boolean isAlive(@Nullable UUID worker, long seq) {
    NavigableMap<Long, Audit.Life> life = lives.get(worker);
    if (life == null) return false;
    Map.@Nullable Entry<Long, Audit.Life> last = life.lowerEntry(seq);
    return last != null
        && !last.getValue().op().equals("delete")
        && !last.getValue().status().equals("DEAD");
  }
}
