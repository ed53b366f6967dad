package dev.dibs.worker;

import dev.dibs.DatabaseException;
import dev.dibs.Schedule;
import dev.dibs.producer.Producer;
import dev.dibs.producer.ProducerSettings;
import dev.dibs.sql.Bell;
import dev.dibs.sql.Duties;
import dev.dibs.sql.Exchange;
import dev.dibs.sql.FinishTask;
import dev.dibs.sql.Migrations;
import dev.dibs.sql.Plans;
import dev.dibs.sql.PromoteTasks;
import dev.dibs.sql.ReadBack;
import dev.dibs.sql.RescueTasks;
import dev.dibs.sql.ScheduleRows;
import dev.dibs.sql.TickSchedules;
import dev.dibs.sql.VacuumTask;
import dev.dibs.sql.WorkerRows;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process's way to take tasks out: claims them, runs their handlers, writes what came of it.
 *
 * <p>It keeps five connections, whatever its concurrency: two for exchanges, and one each to beat,
 * to listen and for duties. All its threads are daemons. Thread-safe.
 *
 * <p>
 *
 * {@snippet :
 * try (Worker worker = Worker.on(dataSource)
 *     .queue("mail", 20).handle(SEND_INVOICE, this::sendInvoice).stopAtExit().start()) {
 *   worker.awaitShutdown();
 * }
 * }
 */
public final class Worker implements AutoCloseable {
  /**
   * How a worker does.
   *
   * @param databaseAnswers false from when a connection broke or could not be opened until one
   *     answers; a silence is noticed when an answer is overdue
   * @param leaseLeft how long this process may still believe that it holds its tasks; zero: it is
   *     fenced
   * @param draining whether it takes no more tasks
   * @param clogged whether stuck runs keep slots taken
   * @param held what it holds
   * @param loops the threads of the engine by name, and whether each is alive
   */
  public record Health(
      boolean databaseAnswers,
      Duration leaseLeft,
      boolean draining,
      boolean clogged,
      Held held,
      Map<String, Boolean> loops) {
    public Health {
      loops = Collections.unmodifiableMap(new LinkedHashMap<>(loops));
    }
  }

  /**
   * What a worker holds.
   *
   * @param running tasks whose handlers run
   * @param buffered tasks that wait for a slot
   * @param unwritten outcomes that wait to be written
   */
  public record Held(int running, int buffered, int unwritten) {}

  /** Who sees what a worker does. */
  record Watch(MeterRegistry meters, Surroundings surroundings) {}

  /** What a worker is made of. */
  record Plan(
      DataSource dataSource,
      DataSource transactions,
      Map<String, Integer> queues,
      Handlers handlers,
      Watch watch,
      WorkerSettings settings) {
    int concurrency() {
      return queues.values().stream().mapToInt(Integer::intValue).sum();
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final Duration EXCHANGE_ANSWER = Duration.ofSeconds(30);

  /** One row that somebody has locked must not hold up all outcomes that travel with it. */
  private static final String EXCHANGE = Plans.FIXED + "; set lock_timeout = 1000";

  private static final Duration PROBE_ANSWER = Duration.ofSeconds(5);
  private static final Duration INTERRUPT_GRACE = Duration.ofSeconds(2);
  private static final Duration LAST_WRITES = Duration.ofSeconds(5);

  /** Loops that wait for nothing end within this. */
  private static final Duration OWN_ACCORD = Duration.ofMillis(500);

  /** What the rest of a stop may take, whatever the database does. */
  private static final Duration FAREWELL = Duration.ofSeconds(2);

  private final Plan plan;
  private final Outage outage = new Outage();
  private final Complaints complaints = new Complaints();
  private final Route route;
  private final CountDownLatch draining = new CountDownLatch(1);
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final RunTimer timer;
  private final Membership membership;
  private final Ledger ledger;
  private final TaskRunner runner;
  private final Producer followUps;
  private final WorkerRows rows;
  private final Link heartLink;
  private final Link listenLink;
  private final Heartbeat heartbeat;
  private final List<Link> links;
  private final List<Loop> loops;
  private final WorkerMeters meters;
  private volatile @Nullable ExitHook exitHook;

  Worker(Plan plan) {
    this.plan = plan;
    this.route = new Route(plan.dataSource(), outage);
    WorkerSettings settings = plan.settings();
    var schema = settings.schema();
    this.meters = new WorkerMeters(plan.watch().meters());
    var bell = new Bell(schema);
    this.timer = new RunTimer(settings.patience().interruptGrace());
    this.membership = new Membership(settings.fenceAfter());
    this.ledger =
        new Ledger(
            plan.queues(),
            plan.handlers().kinds(),
            membership,
            settings.pollInterval(),
            settings.maxLosses());
    this.followUps =
        Producer.on(
            plan.transactions(),
            ProducerSettings.DEFAULT
                .withSchema(schema)
                .withCodec(settings.codec())
                .withObservations(plan.watch().surroundings().observations()));
    var transactions =
        new TaskTransactions(plan.transactions(), new FinishTask(schema), followUps, meters);
    this.runner =
        new TaskRunner(
            new HandlerCalls(
                plan.handlers(), transactions, settings.codec(), plan.watch().surroundings()),
            ledger,
            meters,
            timer,
            Thread.ofVirtual().factory());
    var readBack = new ReadBack(schema);
    var recovery = new ExchangeRecovery(readBack, ledger, runner, meters);
    this.rows = new WorkerRows(schema);

    this.heartLink = link(settings.lease().dividedBy(3), "set synchronous_commit = off");
    this.listenLink = link(PROBE_ANSWER, "");
    Link dutyLink = link(EXCHANGE_ANSWER, Plans.FIXED);
    List<Link> exchangeLinks =
        List.of(link(EXCHANGE_ANSWER, EXCHANGE), link(EXCHANGE_ANSWER, EXCHANGE));
    this.links =
        List.of(heartLink, listenLink, dutyLink, exchangeLinks.get(0), exchangeLinks.get(1));

    var rescuer = new Rescuer(rows, new RescueTasks(schema), bell, settings, meters);
    var duties =
        new DutyLoop(
            dutyLink,
            new PromoteTasks(schema),
            new DutyRoster(
                new Duties(schema),
                rescuer,
                new VacuumTask(schema),
                new ForgottenTasks(readBack, membership, ledger, runner),
                new Ticker(new TickSchedules(schema), bell, meters, dutyLink),
                dutyLink),
            rescuer,
            recovery,
            settings);
    this.heartbeat =
        new Heartbeat(heartLink, rows, announcement(), settings, membership, told(duties));
    var exchange = new Exchange(schema);
    var listener = new Listener(listenLink, bell, ledger, runner, duties::lookForDue);
    this.loops =
        List.of(
            new Loop(
                "exchange-1",
                stopped,
                exchangeLoop(exchangeLinks.get(0), exchange, recovery, meters, duties)),
            new Loop(
                "exchange-2",
                stopped,
                exchangeLoop(exchangeLinks.get(1), exchange, recovery, meters, duties)),
            new Loop("heartbeat", stopped, () -> heartbeat.beatUntil(stopped)),
            new Loop("watchdog", stopped, () -> heartbeat.watchUntil(stopped)),
            new Loop("listener", stopped, () -> listen(listener, duties)),
            new Loop("duties", stopped, () -> duties.runUntil(stopped)));
    meters.expect(plan.queues().keySet(), plan.handlers().kinds());
    meters.gauge("dibs.worker.running", "tasks that run here", ledger, Ledger::running);
    meters.gauge(
        "dibs.worker.buffered", "tasks claimed that wait for a slot", ledger, Ledger::buffered);
    meters.gauge(
        "dibs.worker.capacity", "tasks that may run here", ledger, any -> plan.concurrency());
  }

  private void listen(Listener listener, DutyLoop duties) throws InterruptedException {
    if (!route.isPooled()) {
      listener.listenUntil(stopped);
      return;
    }
    // No bell will tell that there are tasks for later, so they are looked for as if one rang.
    long poll = plan.settings().pollInterval().toNanos();
    while (!stopped.await(poll, TimeUnit.NANOSECONDS)) duties.lookForDue();
  }

  private Loop.Body exchangeLoop(
      Link link,
      Exchange exchange,
      ExchangeRecovery recovery,
      WorkerMeters meters,
      DutyLoop duties) {
    var loop =
        new ExchangeLoop(
            link, exchange, ledger, runner, recovery, meters, duties::dueAfter, complaints);
    return () -> loop.runUntil(stopped);
  }

  private Link link(Duration answerWithin, String setUp) {
    return new Link(route, answerWithin, setUp);
  }

  /**
   * Describes a worker whose own connections come from {@code dataSource}; see {@link
   * WorkerBuilder}.
   */
  public static WorkerBuilder on(DataSource dataSource) {
    return new WorkerBuilder(dataSource);
  }

  private WorkerRows.Announcement announcement() {
    String version = Worker.class.getPackage().getImplementationVersion();
    return new WorkerRows.Announcement(
        host(),
        ProcessHandle.current().pid(),
        version == null ? "development" : version,
        plan.queues().keySet(),
        plan.handlers().kinds(),
        plan.concurrency());
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown";
    }
  }

  /** Without this the JVM ends at a signal as if it had crashed. */
  void stopAtExit() {
    exitHook = ExitHook.add(this::close);
  }

  void start() {
    checkSize();
    try {
      route.explore();
      if (route.isPooled())
        LOG.warn(
            "there is a transaction pooler before the database, through which no notification comes: tasks are looked for every {}",
            plan.settings().pollInterval());
      heartLink.use(connection -> {
        Migrations.check(connection, plan.settings().schema());
        declareSchedules(connection);
        return true;
      });
      heartbeat.register();
    } catch (SQLException e) {
      closeLinks();
      throw new DatabaseException("the worker could not register", e);
    } catch (RuntimeException e) {
      closeLinks();
      throw e;
    }
    loops.forEach(Loop::start);
    meters.gauge(
        "dibs.worker.ready", "1 while this process takes tasks", this, w -> w.isReady() ? 1 : 0);
  }

  /** A loop that gets no connection would wait for one that the others never give back. */
  private void checkSize() {
    int kept = links.size();
    int size = route.size().orElse(Integer.MAX_VALUE);
    if (size < kept)
      throw new IllegalArgumentException(
          "the pool has %d connections at most, and a worker keeps %d for itself: make its maximumPoolSize %d and as many more as are used besides"
              .formatted(size, kept, kept));
    if (size == kept && plan.transactions().equals(plan.dataSource()))
      LOG.warn(
          "the worker keeps all {} connections of the pool: none is left for task.transaction; make maximumPoolSize larger, or give transactions(pool)",
          kept);
  }

  private void declareSchedules(Connection connection) {
    var schedules = new ScheduleRows(plan.settings().schema(), plan.settings().codec());
    for (Schedule schedule : plan.handlers().schedules()) {
      ScheduleRows.Declared declared = schedules.declare(connection, schedule);
      switch (declared) {
        case KEPT -> {}
        case ADDED, CHANGED ->
            LOG.info(
                "schedule '{}' was {}", schedule.name(), declared.name().toLowerCase(Locale.ROOT));
        case CONTRADICTED ->
            LOG.warn(
                "schedule '{}' is declared otherwise than it stands in the database under the same version {}, and was left so; raise its version to change it",
                schedule.name(),
                schedule.version());
      }
    }
  }

  private Heartbeat.Told told(DutyLoop duties) {
    return new Heartbeat.Told() {
      @Override
      public void fenced() {
        ledger.releaseBuffer(false);
        runner.stopAll(RunningTask.Stop.LEASE_LOST);
      }

      @Override
      public void drains(boolean drains) {
        if (drains) {
          LOG.info(
              "worker {} takes no more tasks, as it was asked to; {} were given back unstarted, {} run to their end",
              id(),
              ledger.drain(),
              ledger.running());
        } else {
          LOG.info("worker {} takes tasks again, as it was asked to", id());
          ledger.undrain();
        }
      }

      @Override
      public void suspects(List<WorkerRows.Sign> suspects) {
        duties.suspect(suspects);
      }
    };
  }

  /** The id under which this process claims; another after it was fenced. */
  public UUID id() {
    return membership.worker();
  }

  /** Whether every loop of the engine is alive. */
  public boolean isLive() {
    return loops.stream().allMatch(Loop::isAlive);
  }

  /**
   * Whether this process takes tasks: the database answers, its row is alive, it is not stopping
   * and was not asked to drain, and no queue's slots are taken for good by handlers that do not
   * stop.
   */
  public boolean isReady() {
    return isLive()
        && draining.getCount() > 0
        && !ledger.isDrained()
        && !outage.isAway()
        && !ledger.isClogged()
        && membership.isHeld(System.nanoTime());
  }

  /** How this process does, from memory alone: also while the database does not answer. */
  public Health health() {
    long now = System.nanoTime();
    Map<String, Boolean> alive = new LinkedHashMap<>();
    for (Loop loop : loops) alive.put(loop.name(), loop.isAlive());
    return new Health(
        !outage.isAway(),
        membership.heldFor(now),
        draining.getCount() == 0 || ledger.isDrained(),
        ledger.isClogged(),
        new Held(ledger.running(), ledger.buffered(), ledger.unwritten()),
        alive);
  }

  /** How many timeouts of runs lie ahead. */
  int timeoutsAhead() {
    return timer.ahead();
  }

  /**
   * Waits until somebody has stopped the worker; a signal does not, unless it was built with {@link
   * WorkerBuilder#stopAtExit}.
   */
  public void awaitShutdown() throws InterruptedException {
    ended.await();
  }

  /** Stops within the drain timeout of the settings; see {@link #stop}. */
  @Override
  public void close() {
    stop(plan.settings().drainTimeout());
  }

  /**
   * Stops: claims no more, gives back what was not started, waits for what runs, interrupts what
   * takes longer, writes all outcomes and signs off. Tasks given back have used up no attempt. A
   * second call waits for the first.
   *
   * <p>Ends within {@code timeout} and ten seconds, also while the database is away: what it has
   * not answered by then is abandoned, and others rescue the tasks when this process's lease ends.
   *
   * @param timeout how long handlers may go on before they are interrupted
   */
  public void stop(Duration timeout) {
    synchronized (draining) {
      if (draining.getCount() > 0) {
        draining.countDown();
        Thread.ofVirtual().name("dibs-draining").start(heartbeat::drain);
        boolean interrupted = false;
        try {
          drain(timeout);
        } catch (InterruptedException e) {
          runner.stopAll(RunningTask.Stop.SHUTDOWN);
          interrupted = true; // kept until the end: the threads are still to be waited for
        }
        end();
        if (interrupted) Thread.currentThread().interrupt();
      }
    }
  }

  private void drain(Duration timeout) throws InterruptedException {
    int runs = ledger.running();
    int released = ledger.releaseBuffer(true);
    int abandoned = 0;
    if (!ledger.awaitNoRuns(timeout)) {
      runner.stopAll(RunningTask.Stop.SHUTDOWN);
      if (!ledger.awaitNoRuns(INTERRUPT_GRACE)) abandoned = runner.abandonAll();
    }
    boolean written = ledger.closeWhenWritten(LAST_WRITES);
    LOG.info(
        "worker {} stopped: {} were running, {} given back unstarted, {} abandoned, {} outcomes unwritten",
        id(),
        runs,
        released,
        abandoned,
        written ? 0 : ledger.unwritten());
  }

  private void end() {
    stopped.countDown();
    timer.close();
    long deadline = System.nanoTime() + FAREWELL.toNanos();
    long ownAccord = System.nanoTime() + OWN_ACCORD.toNanos();
    listenLink.close();
    try {
      for (Loop loop : loops) loop.await(until(ownAccord));
      // Whoever still waits for an answer would hold up the end.
      for (Link link : links) if (!link.equals(heartLink)) link.close();
      for (Loop loop : loops) loop.join(until(deadline));
      Thread.ofVirtual().name("dibs-sign-off").start(this::signOff).join(until(deadline));
      Thread.ofVirtual().name("dibs-last-bell").start(followUps::close).join(until(deadline));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      closeLinks();
      ExitHook hook = exitHook;
      if (hook != null) hook.remove();
      ended.countDown();
    }
  }

  private static Duration until(long deadline) {
    return Duration.ofNanos(Math.max(1_000_000, deadline - System.nanoTime()));
  }

  /**
   * Removes this process's row, unless it still holds tasks: then others rescue them when its lease
   * ends.
   */
  private void signOff() {
    try {
      heartLink.use(connection -> rows.removeIfIdle(connection, id()));
    } catch (SQLException e) {
      LOG.warn(
          "worker {} could not sign off, its row will expire: {}",
          id(),
          DatabaseException.reason(e));
    }
  }

  private void closeLinks() {
    links.forEach(Link::close);
  }
}
