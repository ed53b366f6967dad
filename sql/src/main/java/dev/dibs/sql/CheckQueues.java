package dev.dibs.sql;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Looks for tasks that nobody takes, holds or makes ready.
 *
 * <p>It goes from lane to lane and from holder to holder, each found through its index (task_lane,
 * task_held, task_due), a thousand queues and holders, 250 lanes and ten thousand rows of one thing
 * at the most; it never reads all of a table of tasks. Locks none. Thread-safe.
 */
public final class CheckQueues {
  /** A queue where tasks wait and no live worker serves. */
  public record Unserved(String queue, Duration waited) {}

  /** Tasks of a kind that no worker of their queue knows, among the first of their lanes. */
  public record UnknownKind(String queue, String kind, long tasks) {}

  /** A queue or a kind that is paused. */
  public record Pause(String what, String name, String by, String why, Duration age) {}

  /**
   * Whoever holds tasks and is not alive.
   *
   * @param host empty: it has no row
   */
  public record Holder(String worker, String host, long tasks, Duration silent) {}

  /** How many scheduled tasks are due that nobody made ready, at most 10,001. */
  public record Overdue(long tasks, Duration most) {}

  /** A duty that was not done for long. */
  public record LateDuty(String name, Duration late) {}

  private static final int MOST_QUEUES = 1_000;
  private static final int MOST_LANES = 250;
  private static final int MOST_OF_A_LANE = 100;

  private final String unserved;
  private final String unknownKinds;
  private final String pauses;
  private final String holders;
  private final String overdue;
  private final String duties;
  private final String workers;
  private final String ahead;

  public CheckQueues(Schema schema) {
    String name = "\"" + schema.name() + "\"";
    this.unserved =
        """
        with recursive q as (
          (select t.queue from %1$s.task t where t.status = 'PENDING' order by t.queue limit 1)
          union all
          select n.queue from q cross join lateral (
            select t.queue from %1$s.task t where t.status = 'PENDING' and t.queue > q.queue order by t.queue limit 1) n),
        unserved as materialized (
          select q.queue from (select queue from q limit %2$d) q
          where q.queue <> all (array(
              select unnest(w.queues) from %1$s.worker w where w.status = 'LIVE' and w.lease_until >= statement_timestamp()))
            and not exists (select from %1$s.queue p where p.name = q.queue and p.paused_at is not null))
        select u.queue, extract(epoch from statement_timestamp() - min(f.run_at))::float8
        from unserved u cross join generate_series(1, 4) l (priority) cross join lateral (
          select t.run_at from %1$s.task t where t.status = 'PENDING' and t.queue = u.queue and t.priority = l.priority
          order by t.position limit 1) f
        group by u.queue order by 2 desc limit 10\
        """
            .formatted(name, MOST_QUEUES);
    // Counted first and compared then: few kinds stand for many tasks.
    this.unknownKinds =
        """
        with recursive lane as (
          (select t.queue, t.priority from %1$s.task t where t.status = 'PENDING' order by t.queue, t.priority limit 1)
          union all
          select n.queue, n.priority from lane l cross join lateral (
            select t.queue, t.priority from %1$s.task t
            where t.status = 'PENDING' and (t.queue, t.priority) > (l.queue, l.priority)
            order by t.queue, t.priority limit 1) n),
        seen as materialized (
          select l.queue, f.kind, count(*) as tasks from (select queue, priority from lane limit %2$d) l cross join lateral (
            select t.kind from %1$s.task t where t.status = 'PENDING' and t.queue = l.queue and t.priority = l.priority
            order by t.position limit %3$d) f
          group by l.queue, f.kind),
        live as materialized (
          select w.queues, w.kinds from %1$s.worker w where w.status = 'LIVE' and w.lease_until >= statement_timestamp())
        select s.queue, s.kind, s.tasks from seen s
        where exists (select from live w where s.queue = any (w.queues))
          and not exists (select from live w where s.queue = any (w.queues) and s.kind = any (w.kinds))
        order by 3 desc limit 10\
        """
            .formatted(name, MOST_LANES, MOST_OF_A_LANE);
    this.pauses =
        """
        select 'queue', name, paused_by, paused_why, extract(epoch from statement_timestamp() - paused_at)::float8
        from %1$s.queue where paused_at is not null
        union all
        select 'kind', name, paused_by, paused_why, extract(epoch from statement_timestamp() - paused_at)::float8
        from %1$s.kind where paused_at is not null
        order by 5 desc limit 10\
        """
            .formatted(name);
    this.holders =
        """
        with recursive holder as (
          (select t.worker_id from %1$s.task t where t.status = 'PROCESSING' order by t.worker_id limit 1)
          union all
          select n.worker_id from holder h cross join lateral (
            select t.worker_id from %1$s.task t where t.status = 'PROCESSING' and t.worker_id > h.worker_id
            order by t.worker_id limit 1) n)
        select h.worker_id, w.host, f.tasks,
          extract(epoch from statement_timestamp() - coalesce(w.lease_until, f.claimed_at))::float8 as silent
        from (select worker_id from holder limit 1000) h
        left join %1$s.worker w on w.id = h.worker_id
        cross join lateral (select count(*) as tasks, min(claimed_at) as claimed_at from (
          select t.claimed_at from %1$s.task t where t.status = 'PROCESSING' and t.worker_id = h.worker_id limit 1000) c) f
        where coalesce(w.lease_until, f.claimed_at) < statement_timestamp() - ? * interval '1 second'
        order by silent desc limit 10\
        """
            .formatted(name);
    this.overdue =
        """
        select count(*), extract(epoch from statement_timestamp() - min(run_at))::float8 from (
          select run_at from %s.task where status = 'SCHEDULED' and run_at < statement_timestamp() - ? * interval '1 second'
          order by run_at limit 10001) t\
        """
            .formatted(name);
    this.duties =
        """
        select name, extract(epoch from statement_timestamp() - next_run_at)::float8 as late from %s.duty
        where next_run_at < statement_timestamp() - 3 * every - ? * interval '1 second' order by late desc limit 10\
        """
            .formatted(name);
    this.workers =
        "select count(*) from %s.worker where status <> 'DEAD' and lease_until >= statement_timestamp()"
            .formatted(name);
    this.ahead =
        """
        select max(made - extract(epoch from created_at))::float8 from (
          select ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0 as made, created_at
          from (select id, created_at from %s.task order by id desc limit 200) n where substr(id::text, 15, 1) = '7') t\
        """
            .formatted(name);
  }

  /** Ten at the most, those first that waited longest; paused queues are none of them. */
  public List<Unserved> unserved(Connection connection) throws SQLException {
    return Rows.list(
        connection,
        unserved,
        row -> new Unserved(Rows.text(row, 1), Rows.seconds(row, 2).orElse(Duration.ZERO)));
  }

  /** Ten at the most; among the first hundred tasks of each of 250 lanes, where somebody serves. */
  public List<UnknownKind> unknownKinds(Connection connection) throws SQLException {
    return Rows.list(
        connection,
        unknownKinds,
        row -> new UnknownKind(Rows.text(row, 1), Rows.text(row, 2), row.getLong(3)));
  }

  public List<Pause> pauses(Connection connection) throws SQLException {
    return Rows.list(
        connection,
        pauses,
        row ->
            new Pause(
                Rows.text(row, 1),
                Rows.text(row, 2),
                Rows.text(row, 3),
                Rows.text(row, 4),
                Rows.seconds(row, 5).orElse(Duration.ZERO)));
  }

  /** Holders that have been silent for longer than {@code since}, ten at the most. */
  public List<Holder> silentHolders(Connection connection, Duration since) throws SQLException {
    return Rows.list(
        connection,
        holders,
        row ->
            new Holder(
                Rows.text(row, 1),
                Rows.text(row, 2),
                row.getLong(3),
                Rows.seconds(row, 4).orElse(Duration.ZERO)),
        Rows.seconds(since));
  }

  public Overdue overdue(Connection connection, Duration since) throws SQLException {
    return Rows.one(
        connection,
        overdue,
        row -> new Overdue(row.getLong(1), Rows.seconds(row, 2).orElse(Duration.ZERO)),
        Rows.seconds(since));
  }

  /** Duties that are late by three times their interval and {@code since}. */
  public List<LateDuty> lateDuties(Connection connection, Duration since) throws SQLException {
    return Rows.list(
        connection,
        duties,
        row -> new LateDuty(Rows.text(row, 1), Rows.seconds(row, 2).orElse(Duration.ZERO)),
        Rows.seconds(since));
  }

  /** How many workers are alive. */
  public long workers(Connection connection) throws SQLException {
    return Rows.one(connection, workers, row -> row.getLong(1));
  }

  /**
   * How far the ids of the newest tasks are ahead of when they came in: the clock of whoever made
   * them is so far ahead of the database's. Empty where nothing is known.
   */
  public Optional<Duration> producersAhead(Connection connection) throws SQLException {
    return Rows.one(connection, ahead, row -> Rows.seconds(row, 1));
  }
}
