package dev.dibs.worker;

import dev.dibs.Kind;
import dev.dibs.Schedule;
import dev.dibs.TaskOptions;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.sql.DataSource;

/** Describes a worker before it starts. Not thread-safe. */
public final class WorkerBuilder {
  private static final int MOST_AT_ONCE = 1_000_000;

  private final DataSource dataSource;
  private DataSource transactions;
  private final Map<String, Integer> queues = new LinkedHashMap<>();
  private final Handlers handlers = new Handlers();
  private MeterRegistry meters = new CompositeMeterRegistry();
  private Surroundings surroundings = Surroundings.NONE;
  private WorkerSettings settings = WorkerSettings.DEFAULT;
  private boolean stopsAtExit;

  WorkerBuilder(DataSource dataSource) {
    this.dataSource = dataSource;
    this.transactions = dataSource;
  }

  /**
   * Serves a queue.
   *
   * @param name one that a task's queue may have
   * @param concurrency how many of its tasks run at once in this process, 1 to 1,000,000
   */
  public WorkerBuilder queue(String name, int concurrency) {
    if (concurrency < 1 || concurrency > MOST_AT_ONCE) {
      throw new IllegalArgumentException(
          "concurrency of queue '%s' must be between 1 and %d, was %d"
              .formatted(name, MOST_AT_ONCE, concurrency));
    }
    queues.put(TaskOptions.DEFAULT.withQueue(name).queue(), concurrency);
    return this;
  }

  /** Runs tasks of a kind; tasks of kinds without a handler are left to other workers. */
  public <T> WorkerBuilder handle(Kind<T> kind, TaskHandler<T> handler) {
    handlers.handle(kind, handler);
    return this;
  }

  /**
   * Declares a schedule: it is entered in the database when the worker starts, where there is none
   * of its name or one under a lower version. Nothing removes it but {@code dibs schedules remove}.
   *
   * @throws IllegalArgumentException if one of its name was declared
   */
  public WorkerBuilder schedule(Schedule schedule) {
    handlers.schedule(schedule);
    return this;
  }

  /** Runs tasks of all these kinds, and declares their schedules. */
  public WorkerBuilder handlers(Handlers others) {
    handlers.handleAll(others);
    return this;
  }

  /**
   * Takes the connections for {@link RunningTask#transaction} from here, to the same database;
   * without this from the data source the worker is on. A pool, as large as handlers are to commit
   * at once.
   */
  public WorkerBuilder transactions(DataSource pool) {
    this.transactions = pool;
    return this;
  }

  public WorkerBuilder metrics(MeterRegistry registry) {
    this.meters = registry;
    return this;
  }

  /**
   * Observes every run, as {@code dibs.task}: with a tracer behind the registry each is a span,
   * whose parent is what the header {@code traceparent} of the task names. Costs nothing while the
   * registry has no handler.
   */
  public WorkerBuilder observations(ObservationRegistry registry) {
    this.surroundings = new Surroundings(registry, surroundings.inLog());
    return this;
  }

  /**
   * Puts {@code dibs.task}, {@code dibs.kind} and {@code dibs.attempt} into the log's context (MDC)
   * while a handler runs.
   */
  public WorkerBuilder logContext() {
    this.surroundings = new Surroundings(surroundings.observations(), true);
    return this;
  }

  public WorkerBuilder settings(WorkerSettings settings) {
    this.settings = settings;
    return this;
  }

  /**
   * Stops the worker, as {@link Worker#close}, when the JVM ends: by SIGTERM and SIGINT too, of
   * which {@link Worker#awaitShutdown} hears nothing. Not needed where a container, such as
   * Spring's, closes the worker before the data source.
   */
  public WorkerBuilder stopAtExit() {
    this.stopsAtExit = true;
    return this;
  }

  /**
   * Starts the worker: it registers and claims from now on.
   *
   * @throws IllegalArgumentException if no queue or no handler was given, or the data source is a
   *     HikariCP pool that is too small for the connections a worker keeps
   * @throws dev.dibs.SchemaVersionException if the schema is not one this build works with
   * @throws dev.dibs.DatabaseException if the database cannot be reached
   */
  public Worker start() {
    if (queues.isEmpty())
      throw new IllegalArgumentException(
          "a worker serves at least one queue: call queue(name, concurrency)");
    if (handlers.kinds().isEmpty())
      throw new IllegalArgumentException(
          "a worker has at least one handler: call handle(kind, handler)");
    var worker =
        new Worker(
            new Worker.Plan(
                dataSource,
                transactions,
                Map.copyOf(queues),
                handlers.copy(),
                new Worker.Watch(meters, surroundings),
                settings));
    worker.start();
    if (stopsAtExit) worker.stopAtExit();
    return worker;
  }
}
