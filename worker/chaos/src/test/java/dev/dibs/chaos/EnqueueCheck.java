package dev.dibs.chaos;

import dev.dibs.chaos.Violation.Promise;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * Compares what producers were told with what was inserted: what was acknowledged is there, what
 * was refused is not, what nobody enqueued is not, and the tasks of one call came in one commit.
 *
 * <p>A call that was repeated after its task had finished inserts it once more; so many lives as
 * calls are legal.
 */
final class EnqueueCheck {
  /** The calls about one task, counted by what came of them. */
  private static final class Calls {
    int made;
    int refused;
    boolean acknowledged;
  }

  private final History history;
  private final Map<UUID, Calls> calls = new HashMap<>();
  private final Map<UUID, List<Audit.Change>> inserts;
  private final List<Violation> found = new ArrayList<>();

  EnqueueCheck(History history) {
    this.history = history;
    this.inserts =
        history.audit().changes().stream()
            .filter(change -> change.is("insert"))
            .collect(Collectors.groupingBy(Audit.Change::id));
    for (Event event : history.events()) {
      switch (event.type()) {
        case ENQUEUE -> of(event.task()).made++;
        case ENQUEUE_REFUSED -> of(event.task()).refused++;
        case ENQUEUED -> of(event.task()).acknowledged |= !history.mayBeLost(event.at());
        default -> {
          continue;
        }
      }
    }
  }

  private Calls of(UUID task) {
    return calls.computeIfAbsent(task, any -> new Calls());
  }

  List<Violation> check() {
    calls.forEach(this::answersHold);
    nothingUnexpected();
    callsAreWhole();
    return found;
  }

  private void answersHold(UUID task, Calls made) {
    int lives = inserts.getOrDefault(task, List.of()).size();
    if (made.acknowledged && lives == 0)
      wrong(Promise.NO_LOSS, task, "was acknowledged and is nowhere");
    if (lives > made.made - made.refused)
      wrong(
          Promise.NO_LOSS,
          task,
          "was inserted %d times by %d calls, %d of them refused"
              .formatted(lives, made.made, made.refused));
  }

  private void nothingUnexpected() {
    Set<UUID> children =
        history.audit().effects().stream()
            .map(Audit.Effect::child)
            .filter(Objects::nonNull)
            .collect(Collectors.toSet());
    for (UUID task : inserts.keySet()) {
      if (!calls.containsKey(task) && !children.contains(task))
        wrong(Promise.NO_LOSS, task, "was enqueued by nobody who committed");
    }
    for (UUID child : children) {
      if (!inserts.containsKey(child))
        wrong(
            Promise.EFFECTS, child, "was enqueued in a transaction that committed, and is nowhere");
    }
  }

  private void callsAreWhole() {
    Map<String, Set<UUID>> tasks = new HashMap<>();
    history
        .events(Event.Type.ENQUEUE)
        .forEach(event ->
            tasks
                .computeIfAbsent(event.process() + " " + event.detail(), any -> new HashSet<>())
                .add(event.task()));
    tasks.forEach((call, ids) -> {
      Set<Long> commits =
          ids.stream()
              .map(id -> inserts.getOrDefault(id, List.of()))
              .map(lives -> lives.isEmpty() ? 0L : lives.getFirst().txid())
              .collect(Collectors.toSet());
      if (commits.size() > 1)
        wrong(Promise.NO_LOSS, ids.iterator().next(), "came in parts: call " + call);
    });
  }

  private void wrong(Promise promise, UUID task, String what) {
    found.add(new Violation(promise, task, what));
  }
}
