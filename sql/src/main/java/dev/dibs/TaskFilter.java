package dev.dibs;

import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Which tasks are meant. Immutable; start with {@link #of}, each further word narrows it.
 *
 * @param status a task is looked for where those of its status are; needed
 * @param worker who runs it, or ran it last
 * @param time when: a run of PROCESSING began, a finished task ended, any other was to run
 * @param traits what no index knows
 * @param ids only these, at most 1,000; none: whichever
 */
public record TaskFilter(
    TaskStatus status,
    Optional<String> queue,
    Optional<String> kind,
    Optional<Priority> priority,
    Optional<UUID> worker,
    Span time,
    Traits traits,
    Set<UUID> ids) {
  private static final int MOST_IDS = 1_000;

  /** From {@code since} on, and before {@code until}. */
  public record Span(Optional<Instant> since, Optional<Instant> until) {
    public static final Span ALWAYS = new Span(Optional.empty(), Optional.empty());

    public Span {
      if (since.isPresent() && until.isPresent() && since.get().isAfter(until.get()))
        throw new IllegalArgumentException(
            "since must not be later than until, was %s and %s"
                .formatted(since.get(), until.get()));
    }
  }

  /**
   * What no index knows.
   *
   * @param header of this name and value
   * @param error part of the class or the message of the last error, in whatever case
   */
  public record Traits(Optional<Header> header, Optional<String> error) {
    public static final Traits ANY = new Traits(Optional.empty(), Optional.empty());
  }

  public record Header(String name, String value) {}

  public TaskFilter {
    ids = Set.copyOf(ids);
    if (ids.size() > MOST_IDS)
      throw new IllegalArgumentException(
          "a filter takes at most %d ids, has %d".formatted(MOST_IDS, ids.size()));
    queue.ifPresent(name -> Names.check("queue", name));
    kind.ifPresent(name -> Names.check("kind", name));
  }

  /** All tasks of a status. */
  public static TaskFilter of(TaskStatus status) {
    return new TaskFilter(
        status,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Span.ALWAYS,
        Traits.ANY,
        Set.of());
  }

  public TaskFilter queue(String queue) {
    return new TaskFilter(status, Optional.of(queue), kind, priority, worker, time, traits, ids);
  }

  public TaskFilter kind(String kind) {
    return new TaskFilter(status, queue, Optional.of(kind), priority, worker, time, traits, ids);
  }

  public TaskFilter priority(Priority priority) {
    return new TaskFilter(status, queue, kind, Optional.of(priority), worker, time, traits, ids);
  }

  public TaskFilter worker(UUID worker) {
    return new TaskFilter(status, queue, kind, priority, Optional.of(worker), time, traits, ids);
  }

  public TaskFilter since(Instant since) {
    return with(new Span(Optional.of(since), time.until()));
  }

  public TaskFilter until(Instant until) {
    return with(new Span(time.since(), Optional.of(until)));
  }

  private TaskFilter with(Span time) {
    return new TaskFilter(status, queue, kind, priority, worker, time, traits, ids);
  }

  public TaskFilter header(String name, String value) {
    return with(new Traits(Optional.of(new Header(name, value)), traits.error()));
  }

  public TaskFilter error(String part) {
    return with(new Traits(traits.header(), Optional.of(part)));
  }

  private TaskFilter with(Traits traits) {
    return new TaskFilter(status, queue, kind, priority, worker, time, traits, ids);
  }

  public TaskFilter ids(Iterable<UUID> ids) {
    Set<UUID> only = new TreeSet<>();
    ids.forEach(only::add);
    return new TaskFilter(status, queue, kind, priority, worker, time, traits, only);
  }
}
