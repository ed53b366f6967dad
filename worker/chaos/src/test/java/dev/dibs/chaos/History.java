package dev.dibs.chaos;

import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * All that is known about a run: what the processes recorded, what the database recorded, and what
 * the harness did.
 *
 * @param unfinished tasks that were left when the time to drain was over
 */
record History(
    Workload workload,
    List<Event> events,
    Audit audit,
    Journal journal,
    List<Cluster.LostSuffix> lost,
    List<UUID> unfinished) {
  History {
    events = List.copyOf(events);
    lost = List.copyOf(lost);
    unfinished = List.copyOf(unfinished);
  }

  /** Whether the database itself may have lost what was answered at this time. */
  boolean mayBeLost(long at) {
    return lost.stream().anyMatch(suffix -> suffix.contains(at));
  }

  Stream<Event> events(Event.Type type) {
    return events.stream().filter(event -> event.is(type));
  }

  /** Everything about one task, for those who look for the reason. */
  String lifeOf(UUID task) {
    var text = new StringBuilder("the life of " + task + "\n  as the database saw it:\n");
    audit.changes().stream()
        .filter(change -> change.id().equals(task))
        .forEach(change -> text.append("    ").append(change).append('\n'));
    audit.effects().stream()
        .filter(effect -> effect.task().equals(task))
        .forEach(effect -> text.append("    ").append(effect).append('\n'));
    text.append("  as the processes saw it:\n");
    events.stream()
        .filter(event -> event.task().equals(task))
        .forEach(event ->
            text.append(
                "    %,d %s %s %d %s%n"
                    .formatted(
                        event.at(),
                        event.process(),
                        event.type(),
                        event.attempt(),
                        event.detail())));
    return text.toString();
  }

  /** What was done to the fleet, in seconds since the first event. */
  String faults() {
    long start = events.isEmpty() ? 0 : events.getFirst().at();
    var text = new StringBuilder("faults, in seconds since the first event:\n");
    for (Journal.Entry entry : journal.entries()) {
      text.append(
          "  %7.2f %s %s%n".formatted((entry.at() - start) / 1e9, entry.fault(), entry.detail()));
    }
    return text.toString();
  }
}
