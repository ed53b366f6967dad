package dev.dibs.app;

import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.EnqueueUnknownException;
import dev.dibs.Json;
import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import dev.dibs.producer.CoalescingProducer;
import dev.dibs.producer.CoalescingSettings;
import dev.dibs.producer.Enqueued;
import dev.dibs.producer.Producer;
import dev.dibs.producer.ProducerSettings;
import java.sql.SQLTransientException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the tasks of requests into the database, in few connections: single ones in shared commits,
 * those of one request in one of their own. What is answered is committed. Whatever else comes of
 * it is a {@link Problem}, never with the database's own words: those can quote a row. Thread-safe.
 */
final class Intake implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Intake.class);
  private static final Duration LONGEST_CONNECT = Duration.ofSeconds(3);
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(10);
  private static final Duration LAST_COMMITS = Duration.ofSeconds(5);
  private static final Duration RETRY = Duration.ofSeconds(2);

  /** Of single tasks; a connection more is for the bells, what remains for requests of many. */
  private static final int COMMITS_IN_FLIGHT = 2;

  /**
   * Unreachable, going down, without room, read-only after a failover, overtaken again and again.
   */
  private static final Set<String> PASSING = Set.of("", "08", "25", "40", "53", "55", "57", "58");

  /** The row is at fault. */
  private static final Set<String> OF_THE_TASK = Set.of("22", "23");

  private final HikariDataSource pool;
  private final CoalescingProducer single;
  private final Producer many;
  private final Semaphore room;
  private final DatabaseHealth health;

  Intake(Database database, GatewaySettings settings, DatabaseHealth health) {
    this.pool = database.pooled(settings.connections(), LONGEST_ANSWER);
    pool.setConnectionTimeout(LONGEST_CONNECT.toMillis());
    var producing =
        ProducerSettings.DEFAULT
            .withSchema(database.schema())
            .withMaxPayloadBytes(settings.maxPayload());
    this.single =
        CoalescingProducer.on(
            pool,
            CoalescingSettings.DEFAULT
                .withProducer(producing)
                .withCommitsInFlight(COMMITS_IN_FLIGHT)
                .withCapacity(settings.maxRequests())
                .withPatience(LAST_COMMITS));
    this.many = Producer.on(pool, producing);
    this.room = new Semaphore(settings.connections() - COMMITS_IN_FLIGHT - 1);
    this.health = health;
  }

  /**
   * Enqueues one task; it is durable when this returns.
   *
   * @throws Problem if it is not, or nobody knows
   */
  Enqueued one(NewTask<Json> task) {
    try {
      Enqueued enqueued = single.enqueue(task).join();
      health.taken();
      return enqueued;
    } catch (CompletionException e) {
      if (e.getCause() instanceof DibsException known) throw problem(known, List.of(task));
      throw e;
    }
  }

  /**
   * Enqueues all or none; they are durable when this returns.
   *
   * @throws Problem if they are not, or nobody knows
   */
  List<Enqueued> many(List<NewTask<Json>> tasks) {
    takeRoom();
    try {
      List<Enqueued> enqueued = many.enqueue(tasks);
      health.taken();
      return enqueued;
    } catch (DibsException e) {
      throw problem(e, tasks);
    } finally {
      room.release();
    }
  }

  private void takeRoom() {
    try {
      if (room.tryAcquire(LONGEST_CONNECT.toNanos(), TimeUnit.NANOSECONDS)) return;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw Problem.passing(
        ProblemType.OVERLOADED,
        "other requests of many tasks keep the database busy; send it again later",
        RETRY);
  }

  private Problem problem(DibsException e, List<NewTask<Json>> tasks) {
    return switch (e) {
      case EnqueueUnknownException unknown -> unknown(tasks);
      case DatabaseException failed -> failed(failed);
      case PayloadException refused -> TaskReader.refused(tasks, refused);
      default ->
          Problem.passing(
              ProblemType.OVERLOADED,
              "too many tasks wait for the database; send it again later",
              RETRY);
    };
  }

  private static Problem unknown(List<NewTask<Json>> tasks) {
    return Problem.passing(
            ProblemType.OUTCOME_UNKNOWN,
            "the connection broke before the commit was answered; send the same again to this gateway, each task with its"
                + " id from ids, in this order: nothing is enqueued twice",
            RETRY)
        .about(tasks);
  }

  private Problem failed(DatabaseException e) {
    String state = e.sqlState();
    String kind = state.length() < 2 ? "" : state.substring(0, 2);
    if (PASSING.contains(kind) || e.getCause() instanceof SQLTransientException) {
      health.refused("SQLSTATE " + state);
      return Problem.passing(
          ProblemType.DATABASE_AWAY,
          "nothing was enqueued (SQLSTATE %s); send it again later".formatted(state),
          RETRY);
    }
    if (OF_THE_TASK.contains(kind))
      return Problem.of(
          ProblemType.REFUSED,
          "nothing was enqueued (SQLSTATE %s); the same will be refused again".formatted(state));
    LOG.error("the database refuses tasks: SQLSTATE {}", state);
    return Problem.of(
        ProblemType.FAILED,
        "nothing was enqueued (SQLSTATE %s); tell the gateway's operator".formatted(state));
  }

  /** Commits and answers what was taken, then gives the connections back. */
  @Override
  public void close() {
    single.close();
    many.close();
    pool.close();
  }
}
