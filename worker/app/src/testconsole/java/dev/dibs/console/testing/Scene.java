package dev.dibs.console.testing;

import dev.dibs.testing.TestDatabase;
import java.util.UUID;

/** Fills a database with what a page may have to show; time moves by rows in the past. */
public final class Scene {
  /** Markup, an attribute's end, text that turns around, a formula, and no character unseen. */
  public static final String HOSTILE =
      "\"><img src=x onerror=alert(1)><script>alert(2)</script>'${7*7}\u202Egnp.\u0007=cmd|' javascript:alert(3)";

  private static final String STACK =
      "at shop.Mailer.send(Mailer.java:88)\\nat shop.Main.main(Main.java:12)";

  private final TestDatabase database;

  private Scene(TestDatabase database) {
    this.database = database;
  }

  public static Scene on(TestDatabase database) {
    return new Scene(database);
  }

  /** Two live workers, a silent one and a dead one; the first serves mail and media. */
  public Scene workers() {
    worker(worker(1), "mail-7f9c-2", 4121, "{mail,media}", "LIVE", "1 hour");
    worker(worker(2), "mail-7f9c-1", 512, "{mail}", "LIVE", "30 minutes");
    worker(worker(3), "old-1", 99, "{mail}", "LIVE", "-41 seconds");
    worker(worker(4), "old-0", 98, "{billing}", "DEAD", "-2 hours");
    return this;
  }

  public static UUID worker(int number) {
    return UUID.fromString("0197f3c2-0000-7000-8000-00000000000" + number);
  }

  private void worker(UUID id, String host, long pid, String queues, String status, String lease) {
    database.execute(
        """
        insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, status, started_at, lease_until)
        values (?, ?, ?, '1.4.0', ?::text[], '{send-receipt,resize-image}', 20, ?, clock_timestamp() - interval '3 hours',
          clock_timestamp() + ?::interval)
        """,
        id,
        host,
        pid,
        queues,
        status,
        lease);
  }

  /** Some tasks of every status, in queues that do well and badly. */
  public Scene tasks() {
    waiting(120, "mail", "send-receipt", 3, "14 minutes");
    waiting(12, "billing", "charge-card", 2, "2 hours");
    waiting(30, "media", "resize-image", 4, "2 seconds");
    waiting(4, "reports", "monthly", 3, "20 minutes");
    running(14, "mail", "send-receipt", worker(1));
    running(3, "media", "resize-image", worker(1));
    unfinished(9, "SCHEDULED", "billing", "charge-card", "-2 hours");
    unfinished(3, "BLOCKED", "billing", "charge-card", "1 hour");
    finished(200, "SUCCEEDED", "mail", "send-receipt", "5 minutes");
    finished(37, "DEAD", "mail", "send-receipt", "1 hour");
    finished(4, "DEAD", "media", "resize-image", "3 hours");
    finished(6, "CANCELLED", "billing", "charge-card", "30 minutes");
    pause("queue", "billing", "ana", "INC-204: the card network is down");
    pause("kind", "monthly", "bob", "numbers are wrong");
    return this;
  }

  public Scene pause(String what, String name, String by, String why) {
    database.execute(
        """
        insert into dibs.%s (name, paused_at, paused_by, paused_why)
        values (?, clock_timestamp() - interval '2 hours', ?, ?)
        """
            .formatted(what),
        name,
        by,
        why);
    return this;
  }

  /** Ready tasks; the oldest has waited for {@code age}. */
  public Scene waiting(int count, String queue, String kind, int priority, String age) {
    database.execute(
        """
        insert into dibs.task (id, created_at, run_at, queue, kind, priority, payload, headers)
        select gen_random_uuid(), clock_timestamp() - ?::interval, clock_timestamp() - ?::interval + n * interval '1 ms',
          ?, ?, ?, '{"card":"4111 1111 1111 1111"}', '{"tenant":"acme"}'
        from generate_series(1, ?) n
        """,
        age,
        age,
        queue,
        kind,
        priority,
        count);
    return this;
  }

  private void running(int count, String queue, String kind, UUID worker) {
    database.execute(
        """
        insert into dibs.task (id, created_at, run_at, claimed_at, queue, kind, status, attempt, lease, worker_id)
        select gen_random_uuid(), clock_timestamp() - interval '2 min', clock_timestamp() - interval '1 min',
          clock_timestamp() - n * interval '3 s', ?, ?, 'PROCESSING', 2, gen_random_uuid(), ?
        from generate_series(1, ?) n
        """,
        queue,
        kind,
        worker,
        count);
  }

  private void unfinished(int count, String status, String queue, String kind, String age) {
    database.execute(
        """
        insert into dibs.task (id, created_at, run_at, queue, kind, status, attempt, failures, errors)
        select gen_random_uuid(), clock_timestamp() - interval '1 hour',
          clock_timestamp() - ?::interval + n * interval '1 min', ?, ?, ?::dibs.task_status, 1, 1, %s
        from generate_series(1, ?) n
        """
            .formatted(errors("SMTP 451 greylisted, try ' || n || ' later", "clock_timestamp()")),
        age,
        queue,
        kind,
        status,
        count);
  }

  /** Tasks that ended, the newest {@code age} ago. */
  public Scene finished(int count, String status, String queue, String kind, String age) {
    database.execute(
        """
        insert into dibs.task_history (id, created_at, run_at, claimed_at, finished_at, worker_id, status, priority,
          attempt, failures, losses, max_attempts, queue, kind, payload, errors)
        select gen_random_uuid(), ended - interval '10 s', ended - interval '5 s', ended - interval '1.2 s', ended, ?,
          ?::dibs.task_status, 3, 8, 8, 0, 8, ?, ?, '{"card":"4111 1111 1111 1111"}',
          case when ?::text = 'SUCCEEDED' then null else %s end
        from (select n, clock_timestamp() - ?::interval - n * interval '10 ms' as ended from generate_series(1, ?) n) x
        """
            .formatted(errors("connection to host ' || n || ' was reset", "ended")),
        worker(1),
        status,
        queue,
        kind,
        status,
        age,
        count);
    return this;
  }

  private static String errors(String message, String at) {
    return "jsonb_build_array(jsonb_build_object('attempt', 8, 'at', %s, 'class', 'shop.SmtpException', 'message', '%s', 'stack', E'%s'))"
        .formatted(at, message, STACK);
  }

  /**
   * One that is done, one interrupted, one that runs, one whose process is gone, one that failed.
   */
  public Scene bulks() {
    String why = "INC-204: SMTP is mended";
    bulk(bulk(1), "DONE", "mail", "ana", why, 61_200, 61_200);
    bulk(bulk(2), "STOPPED", "billing", "bob", why, 900, 300);
    bulk(bulk(3), "RUNNING", "media", "ana", why, 61_200, 41_500);
    bulk(bulk(4), "RUNNING", "reports", "ana", why, 61_200, 41_500);
    bulk(bulk(5), "FAILED", "mail", "ana", why, 500, 200);
    database.execute(
        "update dibs.bulk set lease_until = clock_timestamp() - interval '1 min' where id = ?",
        bulk(4));
    return this;
  }

  public static UUID bulk(int number) {
    return UUID.fromString("0197f3c2-0000-7000-8000-0000000000b" + number);
  }

  /** What was seen is done but for two tasks. */
  private void bulk(
      UUID id, String status, String queue, String actor, String why, long expected, long seen) {
    database.execute(
        """
        insert into dibs.bulk (id, action, filter, frozen, queues, expected, per_second, actor, source, why, started_at, stepped_at,
          ended_at, status, driver, lease_until, seen, done, skipped, skips, error)
        select ?, 'retry', jsonb_build_object('status', 'DEAD', 'queue', ?::text), '{}', array[?::text], ?, 2000, ?, 'console 10.1.4.9',
          ?, clock_timestamp() - interval '30 s', clock_timestamp() - interval '1 s',
          case when s in ('DONE', 'FAILED') then clock_timestamp() end, s,
          case s when 'RUNNING' then gen_random_uuid() end, case s when 'RUNNING' then clock_timestamp() + interval '1 hour' end,
          ?, ? - 2, 2, jsonb_build_array(
            jsonb_build_object('id', gen_random_uuid(), 'why', 'it is PROCESSING already'),
            jsonb_build_object('id', gen_random_uuid(), 'why', ?::text)),
          case s when 'FAILED' then ?::text end
        from (select ?::text as s) x
        """,
        id,
        queue,
        queue,
        expected,
        actor,
        why,
        seen,
        seen,
        "somebody else was changing it, or has: " + why,
        "permission denied: " + why,
        status);
  }

  /** One task each, all of whose text is hostile. */
  public Scene hostile() {
    worker(worker(9), cut(HOSTILE), 13, "{mail}", "LIVE", "1 hour");
    String name = cut(HOSTILE);
    pause("queue", name, name, HOSTILE);
    pause("kind", name, name, HOSTILE);
    database.execute(
        """
        insert into dibs.task (id, run_at, queue, kind, payload, headers, unique_key, status, attempt, lease, worker_id, claimed_at, errors)
        select ?, clock_timestamp(), ?, ?, jsonb_build_object('x', ?::text), jsonb_build_object('h', ?::text), ?,
          'PROCESSING', 1, gen_random_uuid(), ?, clock_timestamp(),
          jsonb_build_array(jsonb_build_object('attempt', 1, 'at', clock_timestamp(), 'class', ?::text, 'message', ?::text, 'stack', ?::text))
        """,
        hostileTask(),
        name,
        name,
        HOSTILE,
        HOSTILE,
        cut(HOSTILE),
        worker(9),
        HOSTILE,
        HOSTILE.repeat(2_000),
        HOSTILE);
    database.execute(
        """
        insert into dibs.task_history (id, created_at, run_at, claimed_at, finished_at, worker_id, status, priority,
          attempt, failures, losses, max_attempts, queue, kind, payload, errors)
        select gen_random_uuid(), now(), now(), now(), now(), ?, 'DEAD', 3, 1, 1, 0, 1, ?, ?, '{}',
          jsonb_build_array(jsonb_build_object('attempt', 1, 'at', clock_timestamp(), 'class', ?::text, 'message', ?::text))
        """,
        worker(9),
        name,
        name,
        HOSTILE,
        HOSTILE);
    database.execute(
        """
        insert into dibs.audit (id, actor, source, action, target, why, before, after, result)
        values (gen_random_uuid(), ?, ?, 'queue.pause', ?, ?, ?, ?, 'done')
        """,
        name,
        name,
        name,
        name,
        HOSTILE,
        HOSTILE);
    database.execute(
        """
        insert into dibs.schedule (name, cron, queue, kind, paused_at, paused_by, paused_why, next_tick_at)
        values (?, ?, ?, ?, now(), ?, ?, now())
        """,
        name,
        cut(HOSTILE),
        name,
        name,
        name,
        HOSTILE);
    bulk(hostileTask(), "FAILED", name, name, HOSTILE, 9, 5);
    return this;
  }

  /** Whose text is hostile, and the id of a bulk like it. */
  public static UUID hostileTask() {
    return UUID.fromString("0197f3c2-0000-7000-8000-0000000000ff");
  }

  /** As a name, which has no control character. */
  public static String cut(String text) {
    String name = text.replace("\u0007", "");
    return name.substring(0, Math.min(128, name.length()));
  }
}
