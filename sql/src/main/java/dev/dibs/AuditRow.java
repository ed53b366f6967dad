package dev.dibs;

import java.time.Instant;
import java.util.Optional;

/**
 * Something that was asked for by hand, and what came of it. Immutable.
 *
 * @param login who asked, as the database knows him
 * @param action queue.pause, task.retry, payload.reveal …
 * @param target a queue, a kind, or an id
 * @param result done, stale, missing or refused
 */
public record AuditRow(
    Request request,
    Instant at,
    String login,
    String action,
    String target,
    Change change,
    String result) {

  /** What it was and became, as text. */
  public record Change(Optional<String> before, Optional<String> after) {}
}
