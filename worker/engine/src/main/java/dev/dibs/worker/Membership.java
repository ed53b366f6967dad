package dev.dibs.worker;

import java.time.Duration;
import java.util.UUID;

/**
 * Under which worker row this process claims, and until when it may believe that the row is alive.
 *
 * <p>The belief ends by the process's own monotonic clock, counted from before the last accepted
 * beat was sent: well before the database's clock lets anyone take the tasks. Written by the
 * heartbeat thread, read by all.
 */
final class Membership {
  /** One registration; a process that was fenced gets a new one. */
  private record Term(UUID worker, long heldUntil) {}

  private final long heldNanos;
  private volatile Term term;

  Membership(Duration heldFor) {
    this.heldNanos = heldFor.toNanos();
    this.term = new Term(new UUID(0, 0), System.nanoTime());
  }

  UUID worker() {
    return term.worker();
  }

  boolean isHeld(long now) {
    return now - term.heldUntil() < 0;
  }

  /** How long the row may still be believed to be alive; zero if it is not. */
  Duration heldFor(long now) {
    return Duration.ofNanos(Math.max(0, term.heldUntil() - now));
  }

  /** A beat of {@code worker} that was sent at {@code sentAt} was accepted. */
  void renewed(UUID worker, long sentAt) {
    term = new Term(worker, sentAt + heldNanos);
  }

  /** The row is gone or given up: nothing may be claimed until the next registration. */
  void ended() {
    term = new Term(term.worker(), System.nanoTime());
  }
}
