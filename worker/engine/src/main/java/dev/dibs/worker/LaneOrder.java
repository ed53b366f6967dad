package dev.dibs.worker;

import dev.dibs.Priority;
import java.util.ArrayList;
import java.util.List;

/**
 * The order in which a claim empties a queue's lanes: urgent first, but every eighth claim begins
 * with one of the lower priorities in turn, so that none starves. Owned by the {@link Ledger},
 * under its lock.
 */
final class LaneOrder {
  private static final int GRANT_EVERY = 8;

  private final List<Priority> strict = List.of(Priority.values());
  private int claims;

  /** The order for the next claim. */
  List<Priority> next() {
    claims = (claims + 1) % (GRANT_EVERY * (strict.size() - 1));
    if (claims % GRANT_EVERY != 0) return strict;
    Priority granted = strict.get(1 + claims / GRANT_EVERY);
    List<Priority> order = new ArrayList<>(strict);
    order.remove(granted);
    order.addFirst(granted);
    return order;
  }
}
