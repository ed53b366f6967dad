package dev.dibs.worker;

import dev.dibs.Priority;
import dev.dibs.Task;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;

/** Tasks as a claim brings them. */
@NullMarked
final class Tasks {
  static final String QUEUE = "bench";
  static final String KIND = "noop";

  private Tasks() {}

  static List<Task> of(int count) {
    var lease = UUID.randomUUID();
    return Stream.generate(() -> task(lease)).limit(count).toList();
  }

  private static Task task(UUID lease) {
    return new Task(
        new Task.Hold(UUID.randomUUID(), lease),
        new Task.Lane(QUEUE, Priority.NORMAL),
        KIND,
        new Task.Tries(1, 0, 0, 25),
        new Task.Content("{}", ""),
        new Task.Timing(Duration.ZERO, Optional.empty()));
  }
}
