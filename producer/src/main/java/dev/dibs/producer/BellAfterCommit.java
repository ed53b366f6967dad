package dev.dibs.producer;

import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jooq.Configuration;
import org.jooq.TransactionContext;
import org.jooq.TransactionListener;
import org.jspecify.annotations.Nullable;

/**
 * Rings for what was enqueued in jOOQ transactions when they are committed, so that no commit
 * carries a NOTIFY.
 *
 * <p>Each transaction's notes lie with its configuration, of which jOOQ makes one a transaction. A
 * nested one, which is a savepoint, hands its notes to the one around it, and loses them when it is
 * rolled back. A commit that fails has rung all the same: jOOQ does not tell. Thread-safe.
 */
final class BellAfterCommit implements TransactionListener {
  private final Surrounding surrounding;
  private final Consumer<Set<String>> ring;

  BellAfterCommit(Surrounding surrounding, Consumer<Set<String>> ring) {
    this.surrounding = surrounding;
    this.ring = ring;
  }

  /** The queues to ring for when one transaction is committed. */
  private static final class Notes {
    final @Nullable Notes around;
    private final Set<String> queues = new TreeSet<>();
    private boolean ended;

    Notes(@Nullable Notes around) {
      this.around = around;
    }

    /** False if the transaction has ended: nobody would ring. */
    synchronized boolean add(Set<String> more) {
      if (!ended) queues.addAll(more);
      return !ended;
    }

    synchronized Set<String> end() {
      ended = true;
      return queues;
    }
  }

  /**
   * Remembers to ring for {@code queues} when the transaction of {@code configuration} is
   * committed.
   *
   * @return false if it is in none that this listens to
   */
  boolean note(Configuration configuration, Set<String> queues) {
    Notes notes = notes(configuration);
    return notes != null && notes.add(queues);
  }

  private @Nullable Notes notes(Configuration configuration) {
    return (Notes) configuration.data(this);
  }

  /** One of Spring's around it decides over the commit, and tells jOOQ nothing of it. */
  @Override
  public void beginStart(TransactionContext context) {
    Notes around = notes(context.configuration());
    if (around != null || !surrounding.isOpen())
      context.configuration().data(this, new Notes(around));
  }

  @Override
  public void commitEnd(TransactionContext context) {
    Notes notes = notes(context.configuration());
    if (notes == null) return;
    Set<String> queues = notes.end();
    if (!queues.isEmpty() && (notes.around == null || !notes.around.add(queues)))
      ring.accept(queues);
  }

  @Override
  public void rollbackEnd(TransactionContext context) {
    Notes notes = notes(context.configuration());
    if (notes != null) notes.end();
  }
}
