package dev.dibs;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * A task to be enqueued. Immutable; the methods below answer a changed copy with the same id, but
 * for {@link #queue}.
 *
 * <p>The id is drawn here, by the client: enqueuing the same {@code NewTask} again while it is
 * unfinished changes nothing, so an enqueue whose answer was lost can be repeated. For a second
 * task make a second {@code NewTask}.
 *
 * @param id a UUIDv7
 */
public record NewTask<T>(UUID id, Kind<T> kind, T payload, TaskOptions options) {

  /** An id that no task has: what a new one is to be known by. */
  public static UUID nextId() {
    return Uuid7.next();
  }

  /**
   * As this task, in another queue and so under an id of its own; without this it goes to {@code
   * default}.
   */
  public NewTask<T> queue(String queue) {
    if (queue.equals(options.queue())) return this;
    var there = options.withQueue(queue);
    // Claims and outcomes find a task by its id: in two queues it would be one task with two rows.
    return new NewTask<>(Uuid7.next(), kind, payload, there);
  }

  /** The same task with another priority; without this it is normal. */
  public NewTask<T> priority(Priority priority) {
    return with(options.withPriority(priority));
  }

  /**
   * The same task, to run no sooner than {@code delay} after the enqueue, by the database's clock.
   */
  public NewTask<T> delay(Duration delay) {
    return with(options.withDue(new Due.After(delay)));
  }

  /**
   * The same task, to run no sooner than {@code instant}; an instant that has passed means at once.
   */
  public NewTask<T> runAt(Instant instant) {
    return with(options.withDue(new Due.At(instant)));
  }

  /** The same task, DEAD after this many failures; without this after 25. */
  public NewTask<T> maxAttempts(int maxAttempts) {
    return with(options.withMaxAttempts(maxAttempts));
  }

  /**
   * The same task, each run of it interrupted after {@code timeout}, and failed unless its handler
   * answers something all the same; without this a run may take for ever.
   */
  public NewTask<T> timeout(Duration timeout) {
    return with(options.withTimeout(Optional.of(timeout)));
  }

  /** The same task with one more header. */
  public NewTask<T> header(String name, String value) {
    Map<String, String> headers = new HashMap<>(options.headers());
    headers.put(name, value);
    return with(options.withHeaders(headers));
  }

  /**
   * The same task, but only one of {@code key} in its queue while it is unfinished: a second one is
   * not taken, and the answer says which is there.
   */
  public NewTask<T> unique(String key) {
    return unique(Unique.by(key));
  }

  /** The same task, one of its key, for as long and with the outcome that {@code unique} says. */
  public NewTask<T> unique(Unique unique) {
    return with(options.withUnique(Optional.of(unique)));
  }

  private NewTask<T> with(TaskOptions changed) {
    return new NewTask<>(id, kind, payload, changed);
  }

  /** Id, kind and queue only: payloads never appear in logs or messages. */
  @Override
  public String toString() {
    return "NewTask[" + id + " " + kind.name() + " in " + options.queue() + "]";
  }
}
