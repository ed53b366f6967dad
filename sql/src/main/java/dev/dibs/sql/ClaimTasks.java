package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.KIND;
import static dev.dibs.sql.schema.Tables.QUEUE;
import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.enums.TaskStatus.PENDING;
import static dev.dibs.sql.schema.enums.TaskStatus.PROCESSING;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.array;
import static org.jooq.impl.DSL.condition;
import static org.jooq.impl.DSL.exists;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.lateral;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.with;

import java.util.UUID;
import org.jooq.CommonTableExpression;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.Query;
import org.jooq.Record1;
import org.jooq.Select;
import org.jooq.impl.SQLDataType;

/**
 * The statement that claims tasks.
 *
 * <p>{@code picked} finds ready tasks lane by lane and locks them, skipping what others have
 * locked; the update gives them this claim's lease.
 *
 * <p>Index: task_lane for the picks, primary key for the claim. Locks: the claimed rows, and rows
 * that changed hands while it looked at them; it waits for nobody. Its commit does not wait for the
 * disk: a crash of the server can only forget the claim, and then its tasks are ready again.
 */
final class ClaimTasks {
  private ClaimTasks() {}

  static Query query() {
    CommonTableExpression<?> picked = name("picked").asMaterialized(picks());
    return with(picked)
        .update(TASK)
        .set(TASK.STATUS, inline(PROCESSING))
        .set(TASK.ATTEMPT, TASK.ATTEMPT.add(inline(1)))
        .set(TASK.CLAIMED_AT, Time.now())
        .set(TASK.WORKER_ID, param("worker", UUID.class))
        .set(TASK.LEASE, param("lease", UUID.class))
        .where(TASK.ID.eq(any(array(select(field(name("id"), UUID.class)).from(name("picked"))))))
        .and(ChosenRow.isStill(PENDING))
        .returningResult(ClaimedRow.columns());
  }

  /**
   * The ids to claim. The outer loop walks the queues so that one queue's lanes share its room;
   * inside, the lanes are entered in the given order and left as soon as the room is filled.
   */
  private static Select<Record1<UUID>> picks() {
    var queues = new Columns("q");
    var queue = queues.column("queue", "queues", SQLDataType.CLOB);
    var queueRoom = queues.column("room", "queueRooms", SQLDataType.INTEGER);
    var lanes = new Columns("l");
    var laneQueue = lanes.column("queue", "laneQueues", SQLDataType.CLOB);
    var lanePriority = lanes.column("priority", "lanePriorities", SQLDataType.SMALLINT);
    var laneFloor = lanes.column("floor", "laneFloors", SQLDataType.BIGINT);
    var laneRoom = lanes.column("room", "laneRooms", SQLDataType.INTEGER);
    var lane =
        select(TASK.ID)
            .from(TASK)
            .where(TASK.QUEUE.eq(laneQueue))
            .and(TASK.STATUS.eq(inline(PENDING)))
            .and(TASK.PRIORITY.eq(lanePriority))
            .and(TASK.POSITION.gt(laneFloor))
            .and(TASK.KIND.eq(any(array(kinds()))))
            .orderBy(TASK.POSITION)
            .limit(laneRoom)
            .forNoKeyUpdate()
            .skipLocked();
    var paused = array(select(QUEUE.NAME).from(QUEUE).where(QUEUE.PAUSED_AT.isNotNull()));
    var picks = table(name("p"));
    var lanePicks = table(name("t"));
    Field<UUID> pick = field(name("p", "id"), UUID.class);
    Field<UUID> lanePick = field(name("t", "id"), UUID.class);
    return select(pick)
        .from(queues.rows())
        .crossJoin(
            lateral(
                    select(lanePick)
                        .from(lanes.rows())
                        .crossJoin(lateral(lane).as(lanePicks))
                        .where(laneQueue.eq(queue))
                        .limit(queueRoom))
                .as(picks))
        .where(queue.ne(org.jooq.impl.DSL.all(paused)))
        .and(exists(kinds())) // else all of a lane would be looked at for nothing
        .and(commitsLazily());
  }

  /** The kinds to claim but for those that are paused; asked for once, not for each row. */
  private static Select<Record1<String>> kinds() {
    Field<String> kind = field(name("k", "kind"), SQLDataType.CLOB);
    var paused = array(select(KIND.NAME).from(KIND).where(KIND.PAUSED_AT.isNotNull()));
    return select(kind)
        .from(
            table("unnest({0})", param("kinds", SQLDataType.CLOB.getArrayDataType()))
                .as("k", "kind"))
        .where(kind.ne(org.jooq.impl.DSL.all(paused)));
  }

  /**
   * True; and sets for this transaction that its commit does not wait for the disk, if the
   * parameter {@code lazily} says so.
   */
  private static Condition commitsLazily() {
    return condition(
        "coalesce((select set_config('synchronous_commit', 'off', true) where {0}), '') <> 'never'",
        param("lazily", Boolean.class));
  }
}
