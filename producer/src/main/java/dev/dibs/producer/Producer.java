package dev.dibs.producer;

import dev.dibs.Codec;
import dev.dibs.DatabaseException;
import dev.dibs.EnqueueUnknownException;
import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import dev.dibs.sql.Bell;
import dev.dibs.sql.InsertTasks;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import javax.sql.DataSource;
import org.jooq.Configuration;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;

/**
 * Enqueues tasks: in the caller's transaction, or on a connection of its own.
 *
 * <p>In the caller's transaction the tasks exist when that commits, and never if it does not;
 * nothing is committed, rolled back or closed here. Workers are told at once: in the caller's
 * transaction by a NOTIFY in it, at most one a queue every few milliseconds; on an own connection
 * by one after the commit. A worker that was not told finds the task at its next poll.
 *
 * <p>Payloads are encoded and checked before anything is sent. Thread-safe. {@link #close} ends the
 * thread that rings for workers and leaves the data source open.
 */
public final class Producer implements AutoCloseable {
  private static final String CONNECTION_EXCEPTION = "08";

  private final ProducerSettings settings;
  private final DataSource dataSource;
  private final InsertTasks insert;
  private final Bell bell;
  private final Throttle throttle;
  private final BellRinger ringer;

  private Producer(DataSource dataSource, ProducerSettings settings) {
    this.settings = settings;
    this.dataSource = dataSource;
    this.insert = new InsertTasks(settings.schema());
    this.bell = new Bell(settings.schema());
    this.throttle = new Throttle(settings.bellInterval());
    this.ringer = new BellRinger(dataSource, bell, settings.bellInterval());
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
   * Enqueues one task on a connection of the data source; it is durable when this returns.
   *
   * @throws PayloadException if the payload cannot be kept; nothing was enqueued
   * @throws EnqueueUnknownException if the connection broke meanwhile: enqueue the same task again
   * @throws DatabaseException if the database refused; nothing was enqueued
   */
  public Enqueued enqueue(NewTask<?> task) {
    return enqueue(List.of(task)).getFirst();
  }

  /**
   * Enqueues tasks on a connection of the data source, all or none, in one statement; durable when
   * this returns.
   *
   * @throws PayloadException if a payload cannot be kept; nothing was enqueued
   * @throws EnqueueUnknownException if the connection broke meanwhile: enqueue the same tasks again
   * @throws DatabaseException if the database refused; nothing was enqueued
   */
  public List<Enqueued> enqueue(Collection<? extends NewTask<?>> tasks) {
    List<InsertTasks.Row> rows = rows(tasks);
    if (rows.isEmpty()) return List.of();
    List<Enqueued> enqueued = insertOwn(rows);
    ringer.ring(queues(rows));
    return enqueued;
  }

  private List<Enqueued> insertOwn(List<InsertTasks.Row> rows) {
    boolean sent = false;
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(true);
      sent = true;
      return answer(rows, insert.insert(connection, rows));
    } catch (SQLException e) {
      throw sent && isBroken(e)
          ? new EnqueueUnknownException(rows.size(), e)
          : new DatabaseException("%d task(s) could not be enqueued".formatted(rows.size()), e);
    }
  }

  /** Connection failures, and the server going down, which may come after the commit. */
  private static boolean isBroken(SQLException e) {
    String state = e.getSQLState();
    return state == null || state.startsWith(CONNECTION_EXCEPTION) || state.startsWith("57P");
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
   * Enqueues tasks in the transaction of {@code connection}, in one statement: they exist when the
   * caller commits.
   *
   * @throws PayloadException if a payload cannot be kept; the transaction can go on
   * @throws DatabaseException if the database refused; the transaction is to be rolled back
   */
  public List<Enqueued> enqueue(Connection connection, Collection<? extends NewTask<?>> tasks) {
    List<InsertTasks.Row> rows = rows(tasks);
    if (rows.isEmpty()) return List.of();
    try {
      List<Enqueued> enqueued = answer(rows, insert.insert(connection, rows));
      bell.ring(connection, throttle.pass(queues(rows)));
      return enqueued;
    } catch (SQLException e) {
      throw new DatabaseException("%d task(s) could not be enqueued".formatted(rows.size()), e);
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
   * Collection)}.
   */
  public List<Enqueued> enqueue(
      Configuration configuration, Collection<? extends NewTask<?>> tasks) {
    try {
      return configuration.dsl().connectionResult(connection -> enqueue(connection, tasks));
    } catch (DataAccessException e) {
      SQLException cause = e.getCause(SQLException.class);
      if (cause == null) throw e;
      throw new DatabaseException(
          "%d task(s) could not be enqueued".formatted(tasks.size()), cause);
    }
  }

  private List<InsertTasks.Row> rows(Collection<? extends NewTask<?>> tasks) {
    return tasks.stream().map(this::row).toList();
  }

  private InsertTasks.Row row(NewTask<?> task) {
    Codec codec = settings.codec();
    String payload = codec.encode(task.payload());
    int bytes = Utf8.length(payload);
    if (bytes > settings.maxPayloadBytes()) {
      throw new PayloadException(
          "a payload of kind '%s' has %d bytes, at most %d are taken; keep large data elsewhere and enqueue a reference to it"
              .formatted(task.kind().name(), bytes, settings.maxPayloadBytes()));
    }
    var headers = task.options().headers();
    @Nullable String encoded = headers.isEmpty() ? null : codec.encode(headers);
    return new InsertTasks.Row(task.id(), task.kind().name(), payload, encoded, task.options());
  }

  private static List<Enqueued> answer(List<InsertTasks.Row> rows, Set<UUID> inserted) {
    return rows.stream().map(row -> new Enqueued(row.id(), inserted.contains(row.id()))).toList();
  }

  private static Set<String> queues(List<InsertTasks.Row> rows) {
    Set<String> queues = new TreeSet<>();
    for (InsertTasks.Row row : rows) queues.add(row.options().queue());
    return queues;
  }

  /** Ends the thread that rings for workers, after it rang for what was enqueued. */
  @Override
  public void close() {
    ringer.close();
  }
}
