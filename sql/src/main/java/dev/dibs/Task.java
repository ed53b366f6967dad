package dev.dibs;

import java.time.Duration;
import java.util.Optional;
import java.util.UUID;

/**
 * A task as one run of it was claimed. Immutable.
 *
 * @param hold what this run must show with every write
 * @param lane where it stood
 * @param tries how often it was tried before and with this run
 * @param content what it carries
 * @param timing how long it waited and may run
 */
public record Task(Hold hold, Lane lane, String kind, Tries tries, Content content, Timing timing) {

  /**
   * A task's id and the lease one run holds it by: the fence. A lease is random for every claim, so
   * a run that lost its task matches nothing.
   */
  public record Hold(UUID id, UUID lease) {}

  /**
   * A queue and a priority in it: tasks of one lane are claimed in the order of their positions.
   */
  public record Lane(String queue, Priority priority) {}

  /**
   * How often the task was tried.
   *
   * @param attempt this run's number, from 1; only grows
   * @param failures earlier attempts that failed
   * @param losses earlier attempts that lost their worker
   * @param maxAttempts failures after which the task is dead
   */
  public record Tries(int attempt, int failures, int losses, int maxAttempts) {}

  /** Payload and headers as JSON text; headers may be empty text. */
  public record Content(String payload, String headers) {
    /** Sizes only: payloads never appear in logs or messages. */
    @Override
    public String toString() {
      return "Content[" + payload.length() + " chars]";
    }
  }

  /**
   * How long the task waited and may run.
   *
   * @param waited from when it could run to when it was claimed
   * @param timeout the longest this run may take, where the task says so
   */
  public record Timing(Duration waited, Optional<Duration> timeout) {}

  public UUID id() {
    return hold.id();
  }

  public String queue() {
    return lane.queue();
  }
}
