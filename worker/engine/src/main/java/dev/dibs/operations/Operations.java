package dev.dibs.operations;

import dev.dibs.AuditFilter;
import dev.dibs.AuditRow;
import dev.dibs.DatabaseException;
import dev.dibs.KindRow;
import dev.dibs.Page;
import dev.dibs.Pause;
import dev.dibs.Priority;
import dev.dibs.QueueRow;
import dev.dibs.Request;
import dev.dibs.Retention;
import dev.dibs.TaskFilter;
import dev.dibs.TaskPage;
import dev.dibs.TaskRow;
import dev.dibs.TaskStatus;
import dev.dibs.WorkerRow;
import dev.dibs.sql.ActOnTask;
import dev.dibs.sql.CancelTask;
import dev.dibs.sql.FindTask;
import dev.dibs.sql.ListAudit;
import dev.dibs.sql.ListQueues;
import dev.dibs.sql.ListTasks;
import dev.dibs.sql.Schema;
import dev.dibs.sql.Steer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * What people do to queues, kinds, tasks and workers, and what they see of them.
 *
 * <p>An action on a task is a compare-and-set on what was seen of it. Every action is one
 * transaction with its row in the audit, also where it came too late or was refused. A {@link
 * Request} that is sent twice is done once: the second time answers what came of the first. So
 * where the database did not answer, send the same request again.
 *
 * <p>What is read needs the role viewer, and what is done the role operator; neither sees a payload
 * but by {@link #reveal}. Reading goes by index, looks at a bounded number of rows and ends after a
 * second. Thread-safe; holds nothing that would have to be closed. Every method throws {@link
 * DatabaseException} if the database cannot answer, and {@link IllegalArgumentException} for what
 * makes no sense, with the way out; nothing was changed then.
 */
public final class Operations {
  /** So many rows a list looks at for one page at the most. */
  private static final int LOOK = 20_000;

  /** And so many where that took too long. */
  private static final int SHORT_LOOK = 1_000;

  private static final int LARGEST_PAGE = 1_000;
  private static final String TOOK_TOO_LONG = "57014";

  private final OwnTransaction own;
  private final ActOnTask tasks;
  private final Steer steer;
  private final FindTask find;
  private final CancelTask holders;
  private final ListTasks list;
  private final ListQueues queues;
  private final ListAudit audit;

  private Operations(DataSource dataSource, Schema schema) {
    this.own = new OwnTransaction(dataSource);
    this.tasks = new ActOnTask(schema);
    this.steer = new Steer(schema);
    this.find = new FindTask(schema);
    this.holders = new CancelTask(schema);
    this.list = new ListTasks(schema);
    this.queues = new ListQueues(schema);
    this.audit = new ListAudit(schema);
  }

  /** Operations on the schema {@code dibs}. */
  public static Operations on(DataSource dataSource) {
    return on(dataSource, Schema.DEFAULT);
  }

  public static Operations on(DataSource dataSource, Schema schema) {
    return new Operations(dataSource, schema);
  }

  /** What was seen of a task: an action is done if all of it is so still. */
  public record Seen(UUID id, TaskStatus status, int attempt) {
    public static Seen of(TaskRow row) {
      return new Seen(row.id(), row.status(), row.attempt());
    }
  }

  /**
   * What came of an action on a task.
   *
   * @param now the task as it is now; of one that succeeded and was retried the copy. Empty: there
   *     is none, or none any more
   * @param message why it was not done; else empty
   */
  public record Answer(Result result, Optional<TaskRow> now, String message) {
    public enum Result {
      /** Done now, or by the same request before. */
      DONE,
      /** The task was not as it was seen any more: nothing was changed. */
      STALE,
      /** There is no such task or worker, or none any more. */
      MISSING,
      /** It cannot be done to a task that is so; or another one has its unique key. */
      REFUSED;

      static Result of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
      }
    }
  }

  /**
   * What came of a pause or its end: DONE or STALE.
   *
   * @param pause how it stands now: who comes second sees who was first, and why
   * @param running how many of its tasks still run, counted to 10,000; they run to their end
   */
  public record PauseAnswer(
      Answer.Result result, Optional<Pause> pause, int running, String message) {}

  /** What came of a change of retention: DONE or STALE, and then what is kept. */
  public record RetainAnswer(Answer.Result result, String message) {}

  /**
   * What came of asking a worker to drain.
   *
   * @param running how many tasks it holds
   */
  public record DrainAnswer(Answer.Result result, int running, String message) {}

  /**
   * Lets a task run again, {@code delay} from now.
   *
   * <p>DEAD or CANCELLED: the same task, with its errors and its attempts; its failures count from
   * zero again, and of its losses two stay at the most, so that it runs alone and one more buries
   * it. SUCCEEDED: a copy with an id of its own. SCHEDULED: it runs then, instead of when it was
   * to. REFUSED if its unique key is taken by now; the message says by which task.
   */
  public Answer retry(Seen seen, Duration delay, Request request) {
    return act("retried", seen, (on, task) -> tasks.retry(on, task, delay, request));
  }

  /** Calls a task off, whether it waits or runs; a run is interrupted, and can write no outcome. */
  public Answer cancel(Seen seen, Request request) {
    return act("cancelled", seen, (on, task) -> tasks.cancel(on, task, request));
  }

  /** Forgets a task that waits or has ended; the audit is all that is left of it. */
  public Answer delete(Seen seen, Request request) {
    return act("deleted", seen, (on, task) -> tasks.delete(on, task, request));
  }

  /** Puts a task that waits at the end of another queue. */
  public Answer move(Seen seen, String queue, Request request) {
    return act("moved", seen, (on, task) -> tasks.move(on, task, queue, request));
  }

  /** Makes a task that waits more or less urgent; it goes to the end of its new lane. */
  public Answer prioritise(Seen seen, Priority priority, Request request) {
    return act("changed", seen, (on, task) -> tasks.prioritise(on, task, priority, request));
  }

  /** Gives a task that waits another time; one that has passed means at once. */
  public Answer reschedule(Seen seen, Instant runAt, Request request) {
    return act("rescheduled", seen, (on, task) -> tasks.reschedule(on, task, runAt, request));
  }

  @FunctionalInterface
  private interface Action {
    ActOnTask.Came on(Connection connection, ActOnTask.Seen seen) throws SQLException;
  }

  private Answer act(String done, Seen seen, Action action) {
    var task = new ActOnTask.Seen(seen.id(), seen.status(), seen.attempt());
    return own.act(
        "task %s could not be %s".formatted(seen.id(), done),
        connection -> {
          ActOnTask.Came came = action.on(connection, task);
          return new Answer(
              Answer.Result.of(came.result()),
              find.find(connection, came.cameTo()).map(TaskPage::row),
              came.message());
        });
  }

  /** No task of the queue is claimed from now on, by any worker, until it is resumed. */
  public PauseAnswer pauseQueue(String queue, Request request) {
    return own.act(
        "queue '%s' could not be paused".formatted(queue),
        on -> answer(steer.pause(on, Steer.What.QUEUE, queue, request)));
  }

  public PauseAnswer resumeQueue(String queue, Request request) {
    return own.act(
        "queue '%s' could not be resumed".formatted(queue),
        on -> answer(steer.resume(on, Steer.What.QUEUE, queue, request)));
  }

  /** No task of the kind is claimed from now on, in any queue, until it is resumed. */
  public PauseAnswer pauseKind(String kind, Request request) {
    return own.act(
        "kind '%s' could not be paused".formatted(kind),
        on -> answer(steer.pause(on, Steer.What.KIND, kind, request)));
  }

  public PauseAnswer resumeKind(String kind, Request request) {
    return own.act(
        "kind '%s' could not be resumed".formatted(kind),
        on -> answer(steer.resume(on, Steer.What.KIND, kind, request)));
  }

  private static PauseAnswer answer(Steer.Switched switched) {
    return new PauseAnswer(
        Answer.Result.of(switched.result()),
        switched.pause(),
        switched.running(),
        switched.message());
  }

  /** Keeps what has ended in the queue for so long; what is over it already is deleted soon. */
  public void retain(String queue, Retention retention, Request request) {
    own.act(
        "the retention of queue '%s' could not be changed".formatted(queue),
        connection -> {
          steer.retain(connection, queue, retention, request);
          return queue;
        });
  }

  /**
   * The same, if the queue keeps what was {@code seen}; answers DONE or STALE.
   *
   * @param seen what it kept when it was looked at; {@link Retention#DEFAULT} where nothing was set
   */
  public RetainAnswer retain(String queue, Retention seen, Retention retention, Request request) {
    return own.act(
        "the retention of queue '%s' could not be changed".formatted(queue),
        connection -> {
          Steer.Steered came = steer.retainIfAsSeen(connection, queue, seen, retention, request);
          return new RetainAnswer(Answer.Result.of(came.result()), came.message());
        });
  }

  /**
   * Asks a worker process to take no more tasks: from its next beat on it claims nothing, gives
   * back what it has not started, finishes what runs, and stays until it is stopped.
   */
  public DrainAnswer drainWorker(UUID worker, Request request) {
    return own.act(
        "worker %s could not be asked to drain".formatted(worker),
        connection -> answer(steer.drain(connection, worker, request)));
  }

  /** Asks a worker process to take tasks again. */
  public DrainAnswer undrainWorker(UUID worker, Request request) {
    return own.act(
        "worker %s could not be asked to go on".formatted(worker),
        connection -> answer(steer.undrain(connection, worker, request)));
  }

  private static DrainAnswer answer(Steer.Steered steered) {
    return new DrainAnswer(
        Answer.Result.of(steered.result()), steered.running(), steered.message());
  }

  /** The task as it is, or as it ended; empty: there is none, or its history was pruned. */
  public Optional<TaskPage> find(UUID id) {
    return own.read(
        "task %s could not be read".formatted(id), connection -> find.find(connection, id));
  }

  /** The tasks that hold a unique key of a queue: one that waits, one that runs, or both. */
  public List<UUID> holders(String queue, String key) {
    return own.read(
        "unique key '%s' of queue '%s' could not be looked up".formatted(key, queue),
        connection -> holders.holders(connection, queue, key));
  }

  /** What a task carries, as JSON; the audit tells who looked. Empty: there is no such task. */
  public Optional<String> reveal(UUID id, Request request) {
    // Shown only once the audit has it for good; so a request that is new is made twice.
    return revealIfAudited(id, request).or(() -> revealIfAudited(id, request));
  }

  private Optional<String> revealIfAudited(UUID id, Request request) {
    return own.act(
        "the payload of task %s could not be read".formatted(id),
        connection -> tasks.revealIfAudited(connection, id, request));
  }

  /** The first page of the tasks that match; see {@link #list(TaskFilter, Optional, int)}. */
  public Page<TaskRow> list(TaskFilter filter, int size) {
    return list(filter, Optional.empty(), size);
  }

  /**
   * A page of the tasks that match, by a bounded look: it may hold fewer than {@code size} rows, or
   * none, though there are more, and then says where to look further.
   *
   * <p>Order: PENDING by priority and position, the next to run first; SCHEDULED by run time;
   * PROCESSING by worker and id; BLOCKED by queue and id; finished ones the newest first; ids by
   * id. PENDING and finished tasks without a queue are listed over at most 200 queues.
   *
   * @param after where the page before ended; empty: the first page
   * @param size 1 to 1,000
   * @throws IllegalArgumentException also if the filter needs a queue, or the cursor is none of its
   *     list
   */
  public Page<TaskRow> list(TaskFilter filter, Optional<Page.Cursor> after, int size) {
    checkSize(size);
    return looked(filter, (connection, look) -> list.list(connection, filter, after, size, look));
  }

  /**
   * The page before: the last of the tasks that match and come before the cursor, in the same order
   * and by as bounded a look. {@link Page#previous} of a page is the cursor of the one before it.
   *
   * @param before where the page behind it began; empty: the last page of all
   * @param size 1 to 1,000
   */
  public Page<TaskRow> listBack(TaskFilter filter, Optional<Page.Cursor> before, int size) {
    checkSize(size);
    return looked(
        filter, (connection, look) -> list.listBack(connection, filter, before, size, look));
  }

  @FunctionalInterface
  private interface Look {
    Page<TaskRow> at(Connection connection, int rows) throws SQLException;
  }

  private Page<TaskRow> looked(TaskFilter filter, Look look) {
    try {
      return looked(filter, look, LOOK);
    } catch (DatabaseException e) {
      if (!e.sqlState().equals(TOOK_TOO_LONG)) throw e;
      return looked(filter, look, SHORT_LOOK);
    }
  }

  private Page<TaskRow> looked(TaskFilter filter, Look look, int rows) {
    return own.read(
        "the %s tasks could not be listed".formatted(filter.status()),
        connection -> look.at(connection, rows));
  }

  private static void checkSize(int size) {
    if (size < 1 || size > LARGEST_PAGE)
      throw new IllegalArgumentException(
          "a page must have 1 to %d rows, was %d".formatted(LARGEST_PAGE, size));
  }

  /** The queues that have ready tasks, are served, or were steered by hand; by name. */
  public List<QueueRow> queues() {
    return own.read("the queues could not be listed", queues::queues);
  }

  /** One of {@link #queues}; cheap, however many there are. */
  public Optional<QueueRow> queue(String name) {
    return own.read(
        "queue '%s' could not be looked at".formatted(name),
        connection -> queues.queue(connection, name));
  }

  /** The kinds that a live worker knows, or that were paused once; by name. */
  public List<KindRow> kinds() {
    return own.read("the kinds could not be listed", queues::kinds);
  }

  /** The worker processes, the oldest first. */
  public List<WorkerRow> workers() {
    return own.read("the workers could not be listed", queues::workers);
  }

  /** What was asked for by hand, the newest first. */
  public Page<AuditRow> audit(AuditFilter filter, Optional<Page.Cursor> after, int size) {
    checkSize(size);
    return own.read(
        "the audit could not be read", connection -> audit.list(connection, filter, after, size));
  }
}
