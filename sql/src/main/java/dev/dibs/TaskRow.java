package dev.dibs;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * A task as a list shows it, unfinished or finished: all but its payload and its lease. Immutable.
 *
 * @param worker who runs it, or ran it last
 * @param labels by what it can be told from others of its kind
 * @param lastError what went wrong the last time, where anything did
 */
public record TaskRow(
    UUID id,
    TaskStatus status,
    Place place,
    Times times,
    Task.Tries tries,
    Optional<UUID> worker,
    Labels labels,
    Optional<LastError> lastError) {

  /** Where it stands and what it is. */
  public record Place(String queue, String kind, Priority priority) {}

  /**
   * When what happened to it.
   *
   * @param runAt no sooner than then it runs, or was to run; what is PENDING waits since then
   * @param claimed when its last run began
   */
  public record Times(
      Instant created, Instant runAt, Optional<Instant> claimed, Optional<Instant> finished) {}

  public record Labels(Optional<String> uniqueKey, Map<String, String> headers) {
    public Labels {
      headers = Map.copyOf(headers);
    }
  }

  /** An error as far as a list shows it: the beginning of its message, and no stack. */
  public record LastError(String type, String message) {}

  public String queue() {
    return place.queue();
  }

  public String kind() {
    return place.kind();
  }

  public Priority priority() {
    return place.priority();
  }

  public int attempt() {
    return tries.attempt();
  }

  /** Id, status and place only: errors and headers may hold what a log must not. */
  @Override
  public String toString() {
    return "TaskRow[" + id + " " + status + "." + attempt() + " " + place + "]";
  }
}
