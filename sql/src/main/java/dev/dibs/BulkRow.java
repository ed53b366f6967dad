package dev.dibs;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * A bulk, and how far it is. Immutable.
 *
 * @param id of the request that started it
 * @param asked who asked for it, and why
 * @param skips the first 20 tasks that were skipped or failed, and why
 * @param error why it is STOPPED or FAILED, where nobody interrupted it
 */
public record BulkRow(
    UUID id,
    BulkOrder order,
    Request asked,
    Times times,
    State state,
    Progress progress,
    List<Skip> skips,
    Optional<String> error) {

  /** Where it stands. A bulk that is STOPPED or FAILED can be resumed. */
  public enum Status {
    RUNNING,
    STOPPED,
    DONE,
    FAILED
  }

  /**
   * Where it stands.
   *
   * @param driven whether a process drives it; one that is RUNNING and not driven lost its process
   */
  public record State(Status status, boolean driven) {}

  /**
   * When.
   *
   * @param stepped the last batch
   * @param seen the database's time when this was read
   */
  public record Times(Instant started, Instant stepped, Optional<Instant> ended, Instant seen) {}

  /**
   * How many tasks.
   *
   * @param expected what the preview counted, where it could
   * @param seen chosen so far: done, skipped or failed
   * @param skipped chosen, and changed by somebody else before its turn, or in conflict
   * @param failed refused by the database
   */
  public record Progress(OptionalLong expected, long seen, long done, long skipped, long failed) {}

  public record Skip(UUID id, String why) {}

  public BulkRow {
    skips = List.copyOf(skips);
  }

  public BulkRow.Status status() {
    return state.status();
  }
}
