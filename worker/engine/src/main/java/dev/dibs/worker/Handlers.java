package dev.dibs.worker;

import dev.dibs.Codec;
import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.Schedule;
import dev.dibs.Task;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The handlers of a worker by kind, and the schedules that are declared beside them. Not
 * thread-safe; a worker takes a copy.
 */
public final class Handlers {
  /** A handler with the type its payload is bound to. */
  private record Registered<T>(Kind<T> kind, TaskHandler<T> handler) {
    Outcome run(Codec codec, Task task, RunningTask run) throws Exception {
      return handler.handle(codec.decode(task.content().payload(), kind.payloadType()), run);
    }
  }

  private final Map<String, Registered<?>> byKind;

  private final Map<String, Schedule> schedules;

  public Handlers() {
    this(Map.of(), Map.of());
  }

  private Handlers(Map<String, Registered<?>> byKind, Map<String, Schedule> schedules) {
    this.byKind = new LinkedHashMap<>(byKind);
    this.schedules = new LinkedHashMap<>(schedules);
  }

  /**
   * Adds a handler.
   *
   * @throws IllegalArgumentException if the kind has one already
   */
  public <T> Handlers handle(Kind<T> kind, TaskHandler<T> handler) {
    if (byKind.putIfAbsent(kind.name(), new Registered<>(kind, handler)) != null) {
      throw new IllegalArgumentException("kind '" + kind.name() + "' has a handler already");
    }
    return this;
  }

  /**
   * Declares a schedule; see {@link WorkerBuilder#schedule}. Its kind may be another worker's.
   *
   * @throws IllegalArgumentException if one of its name was declared
   */
  public Handlers schedule(Schedule schedule) {
    if (schedules.putIfAbsent(schedule.name(), schedule) != null)
      throw new IllegalArgumentException("schedule '" + schedule.name() + "' was declared already");
    return this;
  }

  /** Adds all of {@code others}, handlers and schedules, under the same rules. */
  public Handlers handleAll(Handlers others) {
    for (var entry : others.byKind.entrySet()) {
      if (byKind.putIfAbsent(entry.getKey(), entry.getValue()) != null) {
        throw new IllegalArgumentException("kind '" + entry.getKey() + "' has a handler already");
      }
    }
    others.schedules.values().forEach(this::schedule);
    return this;
  }

  List<Schedule> schedules() {
    return List.copyOf(schedules.values());
  }

  /** The names of the kinds that have a handler. */
  public Set<String> kinds() {
    return Set.copyOf(byKind.keySet());
  }

  Handlers copy() {
    return new Handlers(byKind, schedules);
  }

  /** Decodes the payload and calls the handler. Only known kinds are claimed, so there is one. */
  Outcome run(Codec codec, Task task, RunningTask run) throws Exception {
    Registered<?> registered = byKind.get(task.kind());
    if (registered == null) return Outcome.retry("no handler for kind '" + task.kind() + "'");
    return registered.run(codec, task, run);
  }
}
