package dev.dibs.sql;

import dev.dibs.TaskStatus;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A committed change of a task as a trigger recorded it, in the order in which the row changed.
 *
 * @param number where it stands among all changes and writes of handlers
 * @param session the backend that made it
 * @param before null where the task was inserted; for a task that had ended the row of history
 * @param after for a task that ended the row of history; null where there is none
 */
record Change(long number, int session, @Nullable Row before, @Nullable Row after) {
  /** What the rules are about in a row of task or of its history. */
  record Row(
      TaskStatus status,
      @Nullable UUID lease,
      @Nullable UUID worker,
      int attempt,
      int failures,
      int losses) {}

  /** The table, filled by a trigger, and what handlers write, numbered alike. */
  static final String RECORDER =
      """
      create sequence dibs.number;
      create table dibs.change (number bigint primary key default nextval('dibs.number'), task uuid not null,
        session integer not null default pg_backend_pid(), before dibs.task, after dibs.task,
        was dibs.task_history, became dibs.task_history);
      create index on dibs.change (task);
      create table dibs.effect (number bigint primary key default nextval('dibs.number'), task uuid not null, lease uuid not null);
      create index on dibs.effect (task);
      create function dibs.record_change() returns trigger language plpgsql as $$
      declare past dibs.task_history; begin
        if old is null then select h.* into past from dibs.task_history h where h.id = new.id; end if;
        insert into dibs.change (task, before, after, was) values (coalesce(new.id, old.id), old, new, past);
        return null;
      end $$;
      create trigger recorder after insert or update or delete on dibs.task
        for each row execute function dibs.record_change();
      create function dibs.record_end() returns trigger language plpgsql as $$ begin
        if tg_op = 'INSERT' then
          update dibs.change set became = new where number = (
            select max(number) from dibs.change where task = new.id and after is null and became is null);
        elsif not exists (select from dibs.task t where t.id = old.id) then
          insert into dibs.change (task, was) values (old.id, old);
        end if;
        return null;
      end $$;
      create trigger recorder after insert or delete on dibs.task_history
        for each row execute function dibs.record_end();
      """;

  /** The changes of one task, and with each how often the task is in either table now. */
  static final String OF_TASK =
      """
      select c.number, c.session,
        coalesce((c.before).status, (c.was).status), coalesce((c.before).lease, (c.was).lease),
        coalesce((c.before).worker_id, (c.was).worker_id), coalesce((c.before).attempt, (c.was).attempt),
        coalesce((c.before).failures, (c.was).failures), coalesce((c.before).losses, (c.was).losses),
        coalesce((c.after).status, (c.became).status), coalesce((c.after).lease, (c.became).lease),
        coalesce((c.after).worker_id, (c.became).worker_id), coalesce((c.after).attempt, (c.became).attempt),
        coalesce((c.after).failures, (c.became).failures), coalesce((c.after).losses, (c.became).losses),
        (select count(*) from dibs.task t where t.id = c.task) + (select count(*) from dibs.task_history p where p.id = c.task)
      from dibs.change c where c.task = ? order by c.number
      """;

  static Change read(ResultSet row) throws SQLException {
    return new Change(row.getLong(1), row.getInt(2), readRow(row, 3), readRow(row, 9));
  }

  /** How many rows the task has in both tables, by any row of its changes. */
  static int readRows(ResultSet row) throws SQLException {
    return row.getInt(15);
  }

  private static @Nullable Row readRow(ResultSet row, int from) throws SQLException {
    String status = row.getString(from);
    if (status == null) return null;
    return new Row(
        TaskStatus.valueOf(status),
        row.getObject(from + 1, UUID.class),
        row.getObject(from + 2, UUID.class),
        row.getInt(from + 3),
        row.getInt(from + 4),
        row.getInt(from + 5));
  }

  /** Whether the counts grew by exactly so much. */
  boolean grew(int attempts, int failures, int losses) {
    return before != null
        && after != null
        && after.attempt - before.attempt == attempts
        && after.failures - before.failures == failures
        && after.losses - before.losses == losses;
  }

  boolean leadsTo(TaskStatus status) {
    return after != null && after.status == status;
  }

  boolean comesFrom(TaskStatus status) {
    return before != null && before.status == status;
  }

  boolean wasSeen(TaskStatus status, int attempt) {
    return before != null && before.status == status && before.attempt == attempt;
  }

  @Nullable UUID leaseBefore() {
    return before == null ? null : before.lease;
  }

  @Nullable UUID leaseAfter() {
    return after == null ? null : after.lease;
  }
}
