package dev.dibs.sql;

import dev.dibs.Task;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;

/**
 * The task of one performance, and what its actors know of each other. The sets are theirs to fill.
 *
 * @param workers each actor's own worker
 * @param held what the run holds that has the task when the performance begins
 * @param buried workers that were declared dead
 * @param events what happened, in words
 */
record Scene(
    Task.Hold held, String queue, List<UUID> workers, Set<UUID> buried, Queue<String> events) {
  static Scene open(int actors) {
    List<UUID> workers = Stream.generate(UUID::randomUUID).limit(actors).toList();
    return new Scene(
        new Task.Hold(UUID.randomUUID(), UUID.randomUUID()),
        UUID.randomUUID().toString(),
        workers,
        ConcurrentHashMap.newKeySet(),
        new ConcurrentLinkedQueue<>());
  }

  UUID task() {
    return held.id();
  }
}
