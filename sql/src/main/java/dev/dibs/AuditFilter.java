package dev.dibs;

import java.util.Optional;

/**
 * Which rows of the audit are meant. Immutable.
 *
 * @param actor who asked
 * @param action as a whole, or what it begins with: queue, task.retry
 * @param target to what
 */
public record AuditFilter(
    Optional<String> actor,
    Optional<String> action,
    Optional<String> target,
    TaskFilter.Span time) {
  /** All of them. */
  public static final AuditFilter ALL =
      new AuditFilter(Optional.empty(), Optional.empty(), Optional.empty(), TaskFilter.Span.ALWAYS);

  public AuditFilter actor(String actor) {
    return new AuditFilter(Optional.of(actor), action, target, time);
  }

  public AuditFilter action(String action) {
    return new AuditFilter(actor, Optional.of(action), target, time);
  }

  public AuditFilter target(String target) {
    return new AuditFilter(actor, action, Optional.of(target), time);
  }

  public AuditFilter time(TaskFilter.Span time) {
    return new AuditFilter(actor, action, target, time);
  }
}
