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

  /**
   * As this task, in another queue and so under an id of its own; without this it goes to {@code
   * default}.
   */
  public NewTask<T> queue(String queue) {
    if (queue.equals(options.queue())) return this;
    var there =
        new TaskOptions(
            queue,
            options.priority(),
            options.due(),
            options.maxAttempts(),
            options.timeout(),
            options.headers());
    // Claims and outcomes find a task by its id: in two queues it would be one task with two rows.
    return new NewTask<>(Uuid7.next(), kind, payload, there);
  }

  /** The same task with another priority; without this it is normal. */
  public NewTask<T> priority(Priority priority) {
    return with(
        new TaskOptions(
            options.queue(),
            priority,
            options.due(),
            options.maxAttempts(),
            options.timeout(),
            options.headers()));
  }

  /**
   * The same task, to run no sooner than {@code delay} after the enqueue, by the database's clock.
   */
  public NewTask<T> delay(Duration delay) {
    return due(new Due.After(delay));
  }

  /**
   * The same task, to run no sooner than {@code instant}; an instant that has passed means at once.
   */
  public NewTask<T> runAt(Instant instant) {
    return due(new Due.At(instant));
  }

  private NewTask<T> due(Due due) {
    return with(
        new TaskOptions(
            options.queue(),
            options.priority(),
            due,
            options.maxAttempts(),
            options.timeout(),
            options.headers()));
  }

  /** The same task, DEAD after this many failures; without this after 25. */
  public NewTask<T> maxAttempts(int maxAttempts) {
    return with(
        new TaskOptions(
            options.queue(),
            options.priority(),
            options.due(),
            maxAttempts,
            options.timeout(),
            options.headers()));
  }

  /** The same task, each run of it interrupted and failed after {@code timeout}. */
  public NewTask<T> timeout(Duration timeout) {
    return with(
        new TaskOptions(
            options.queue(),
            options.priority(),
            options.due(),
            options.maxAttempts(),
            Optional.of(timeout),
            options.headers()));
  }

  /** The same task with one more header. */
  public NewTask<T> header(String name, String value) {
    Map<String, String> headers = new HashMap<>(options.headers());
    headers.put(name, value);
    return with(
        new TaskOptions(
            options.queue(),
            options.priority(),
            options.due(),
            options.maxAttempts(),
            options.timeout(),
            headers));
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
