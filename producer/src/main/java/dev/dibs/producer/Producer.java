package dev.dibs.producer;

import dev.dibs.DatabaseException;
import dev.dibs.EnqueueUnknownException;
import dev.dibs.Landing;
import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import dev.dibs.sql.Bell;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Predicate;
import javax.sql.DataSource;
import org.jooq.Configuration;
import org.jooq.TransactionListener;
import org.jooq.exception.DataAccessException;

/**
 * Enqueues tasks: in the caller's transaction, or on a connection of its own.
 *
 * <p>In the caller's transaction the tasks exist when that commits, and never if it does not;
 * nothing is committed, rolled back or closed here. Workers are told at once: in the caller's
 * transaction by a NOTIFY in it, at most one a queue every few milliseconds; on an own connection,
 * and where the {@link #transactionListener} listens, by one after the commit. A worker that was
 * not told finds the task at its next poll.
 *
 * <p>A task that is {@link NewTask#unique unique} may meet another one of its key; what came of it
 * is in the answer, task by task, and no other task of the call is touched by it.
 *
 * <p>Payloads are checked before they are sent; one that cannot be kept leaves nothing behind and
 * the caller's transaction as it was. Thread-safe. {@link #close} ends the thread that rings for
 * workers and leaves the data source open.
 */
public final class Producer implements AutoCloseable {
  private final EnqueueWatch watch;
  private final OwnConnection own;
  private final Inlet inlet;
  private final Bell bell;
  private final Throttle throttle;
  private final BellRinger ringer;
  private final Surrounding surrounding;
  private final BellAfterCommit bellAfterCommit;

  private Producer(DataSource dataSource, ProducerSettings settings) {
    this.watch = settings.watch();
    this.own = new OwnConnection(dataSource);
    this.inlet = new Inlet(settings);
    this.bell = new Bell(settings.schema());
    this.throttle = new Throttle(settings.bellInterval());
    this.ringer = new BellRinger(dataSource, bell, settings.bellInterval());
    this.surrounding = new Surrounding(dataSource);
    this.bellAfterCommit = new BellAfterCommit(surrounding, ringer::ring);
  }

  /**
   * A producer with the usual settings; {@code dataSource} serves enqueues without a connection of
   * the caller's.
   */
  public static Producer on(DataSource dataSource) {
    return on(dataSource, ProducerSettings.DEFAULT);
  }

  public static Producer on(DataSource dataSource, ProducerSettings settings) {
    return new Producer(dataSource, settings);
  }

  /**
   * Enqueues one task on a connection of the data source; it is durable when this returns. In a
   * transaction of Spring's in which the data source takes part, the task exists when that commits.
   *
   * @throws PayloadException if the payload cannot be kept; nothing was enqueued
   * @throws EnqueueUnknownException if the connection broke and the database could not be asked
   *     what became of it, or if the wait for a synchronous standby was cancelled: enqueue the same
   *     task again, by this producer
   * @throws DatabaseException if the database refused; nothing was enqueued
   */
  public Enqueued enqueue(NewTask<?> task) {
    return enqueue(List.of(task)).getFirst();
  }

  /**
   * Enqueues tasks on a connection of the data source, all or none; durable when this returns. In a
   * transaction of Spring's in which the data source takes part, the tasks exist when that commits.
   * Many of them, from a thousand on, travel by COPY.
   *
   * @throws PayloadException if a payload cannot be kept; nothing was enqueued
   * @throws EnqueueUnknownException if the connection broke and the database could not be asked
   *     what became of it, or if the wait for a synchronous standby was cancelled: enqueue the same
   *     tasks again, by this producer
   * @throws DatabaseException if the database refused; nothing was enqueued
   */
  public List<Enqueued> enqueue(Collection<? extends NewTask<?>> tasks) {
    return tasks.isEmpty() ? List.of() : watch.around(List.copyOf(tasks), this::put);
  }

  private List<Enqueued> put(List<NewTask<?>> all) {
    return surrounding
        .join(
            OwnConnection.refusal(all.size()), connection -> put(connection, all, queues -> false))
        .orElseGet(() -> putAlone(all));
  }

  private List<Enqueued> putAlone(List<NewTask<?>> all) {
    Landings landings = own.put(ids(all), inlet.load(all));
    ringer.ring(queues(all));
    return answer(all, landings);
  }

  /**
   * Enqueues one task in the transaction of {@code connection}: it exists when the caller commits.
   *
   * @throws PayloadException if the payload cannot be kept; the transaction can go on
   * @throws DatabaseException if the database refused; the transaction is to be rolled back
   */
  public Enqueued enqueue(Connection connection, NewTask<?> task) {
    return enqueue(connection, List.of(task)).getFirst();
  }

  /**
   * Enqueues tasks in the transaction of {@code connection}, all or none: they exist when the
   * caller commits. Many of them, from a thousand on, travel by COPY behind a savepoint.
   *
   * @throws PayloadException if a payload cannot be kept; the transaction can go on
   * @throws DatabaseException if the database refused; the transaction is to be rolled back
   */
  public List<Enqueued> enqueue(Connection connection, Collection<? extends NewTask<?>> tasks) {
    return enqueue(connection, tasks, queues -> false);
  }

  private List<Enqueued> enqueue(
      Connection connection,
      Collection<? extends NewTask<?>> tasks,
      Predicate<Set<String>> isToldLater) {
    return tasks.isEmpty()
        ? List.of()
        : watch.around(List.copyOf(tasks), all -> put(connection, all, isToldLater));
  }

  private List<Enqueued> put(
      Connection connection, List<NewTask<?>> all, Predicate<Set<String>> isToldLater) {
    Inlet.Load load = inlet.load(all);
    try {
      Landings landings = load.put(connection);
      Set<String> queues = queues(all);
      if (!isToldLater.test(queues)) bell.ring(connection, throttle.pass(queues));
      return answer(all, landings);
    } catch (SQLException e) {
      throw OwnConnection.refused(all.size(), e);
    }
  }

  /**
   * Enqueues one task in the transaction of a jOOQ configuration, as {@link #enqueue(Connection,
   * NewTask)}.
   */
  public Enqueued enqueue(Configuration configuration, NewTask<?> task) {
    return enqueue(configuration, List.of(task)).getFirst();
  }

  /**
   * Enqueues tasks in the transaction of a jOOQ configuration, as {@link #enqueue(Connection,
   * Collection)}. Where the {@link #transactionListener} listens workers are told after the commit.
   */
  public List<Enqueued> enqueue(
      Configuration configuration, Collection<? extends NewTask<?>> tasks) {
    try {
      return configuration
          .dsl()
          .connectionResult(connection ->
              enqueue(connection, tasks, queues -> bellAfterCommit.note(configuration, queues)));
    } catch (DataAccessException e) {
      SQLException cause = e.getCause(SQLException.class);
      if (cause == null) throw e;
      throw OwnConnection.refused(tasks.size(), cause);
    }
  }

  /**
   * Listens to the transactions of the jOOQ configurations it is added to: workers are told of what
   * this producer enqueues in them after their commit, and no commit carries a NOTIFY, for which
   * commits would wait for each other. Transactions that Spring began are not affected.
   */
  public TransactionListener transactionListener() {
    return bellAfterCommit;
  }

  private static List<Enqueued> answer(List<NewTask<?>> tasks, Landings landings) {
    Set<UUID> answered = new HashSet<>();
    return tasks.stream()
        .map(task -> {
          Enqueued answer = landings.of(task.id());
          boolean again = !answered.add(task.id()) && answer.inserted();
          return again ? new Enqueued(answer.id(), Landing.ALREADY_THERE) : answer;
        })
        .toList();
  }

  private static List<UUID> ids(List<NewTask<?>> tasks) {
    return tasks.stream().map(NewTask::id).toList();
  }

  private static Set<String> queues(List<NewTask<?>> tasks) {
    Set<String> queues = new TreeSet<>();
    for (NewTask<?> task : tasks) queues.add(task.options().queue());
    return queues;
  }

  /** Ends the thread that rings for workers, after it rang for what was enqueued. */
  @Override
  public void close() {
    ringer.close();
  }
}
