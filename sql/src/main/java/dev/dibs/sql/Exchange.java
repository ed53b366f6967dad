package dev.dibs.sql;

import static dev.dibs.sql.schema.Sequences.TASK_POSITION;
import static dev.dibs.sql.schema.Tables.QUEUE;
import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.enums.TaskStatus.PENDING;
import static dev.dibs.sql.schema.enums.TaskStatus.PROCESSING;
import static dev.dibs.sql.schema.enums.TaskStatus.SCHEDULED;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.array;
import static org.jooq.impl.DSL.cardinality;
import static org.jooq.impl.DSL.castNull;
import static org.jooq.impl.DSL.condition;
import static org.jooq.impl.DSL.count;
import static org.jooq.impl.DSL.deleteFrom;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.lateral;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.row;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.update;
import static org.jooq.impl.DSL.when;
import static org.jooq.impl.DSL.with;

import dev.dibs.Task;
import dev.dibs.TaskStatus;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jooq.CommonTableExpression;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.Query;
import org.jooq.Record;
import org.jooq.Record1;
import org.jooq.Select;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * Writes the outcomes of finished runs and claims the next tasks: one statement, one commit.
 *
 * <p>The parts, by their names in the statement: {@code ended} deletes tasks that will not run
 * again and {@code archived} keeps them; {@code again} gives tasks back, ready or scheduled; {@code
 * picked} finds ready tasks lane by lane and locks them, skipping what others have locked; {@code
 * claimed} gives them this claim's lease. Every part that ends or delays a run matches id and lease
 * and nothing besides: a status in the condition would let the planner walk the dead entries of the
 * held index.
 *
 * <p>Index: primary key for outcomes and the claim, task_lane for the picks. Locks: the rows of the
 * batch, outcomes in the order of their ids; never waits for a row to claim. At batches of 500 that
 * is 2 statements per 1,000 tasks. Needs READ COMMITTED. Thread-safe.
 */
public final class Exchange {
  /**
   * A run that ended for good. {@code error} is a JSON object, or null where nothing went wrong.
   */
  public record Ended(Task.Hold hold, TaskStatus status, @Nullable String error) {}

  /**
   * A run whose task comes again.
   *
   * @param delay zero: it is ready at once
   * @param failed whether it counts as a failure
   */
  public record Again(Task.Hold hold, Duration delay, boolean failed, @Nullable String error) {}

  /** What a batch of finished runs came to. */
  public record Outcomes(List<Ended> ended, List<Again> again) {
    public static final Outcomes NONE = new Outcomes(List.of(), List.of());

    public Outcomes {
      ended = List.copyOf(ended);
      again = List.copyOf(again);
    }

    public boolean isEmpty() {
      return ended.isEmpty() && again.isEmpty();
    }

    public int size() {
      return ended.size() + again.size();
    }
  }

  /**
   * One lane to claim from.
   *
   * @param floor only tasks above this position are looked at
   * @param room at most so many are taken
   */
  public record LaneRoom(Task.Lane lane, long floor, int room) {}

  /**
   * What to claim.
   *
   * @param lanes in the order they are emptied
   * @param rooms by queue, the most to take from all its lanes
   * @param kinds only tasks of these are claimed
   * @param lease new and random for this claim
   */
  public record Claim(
      UUID worker,
      UUID lease,
      List<LaneRoom> lanes,
      Map<String, Integer> rooms,
      Set<String> kinds) {
    public Claim {
      lanes = List.copyOf(lanes);
      rooms = Map.copyOf(rooms);
      kinds = Set.copyOf(kinds);
    }
  }

  /**
   * What the exchange did.
   *
   * @param claimed the tasks that are ours now
   * @param reached by lane, the highest position that was claimed
   * @param refused the runs that had lost their lease: nothing was written for them
   */
  public record Result(List<Task> claimed, Map<Task.Lane, Long> reached, Set<UUID> refused) {}

  private final SqlText text;

  public Exchange(Schema schema) {
    this.text = SqlText.of(schema, query());
  }

  private static Query query() {
    var ending = new Columns("e");
    var endedId = ending.column("id", "endedIds", SQLDataType.UUID);
    var endedLease = ending.column("lease", "endedLeases", SQLDataType.UUID);
    var endedStatus = ending.column("status", "endedStatuses", SQLDataType.CLOB);
    var endedError = ending.column("error", "endedErrors", SQLDataType.CLOB);
    CommonTableExpression<?> held =
        name("held")
            .asMaterialized(
                select(endedId, endedLease, endedStatus, endedError).from(ending.rows()));
    // The ids alone lead to the rows; which lease goes with which id is looked up in a hash of the
    // batch. In a CASE, or the planner makes a join of it and may read all of task for that.
    CommonTableExpression<?> deleted =
        name("deleted")
            .as(
                deleteFrom(TASK)
                    .where(among("endedIds"))
                    .and(
                        condition(
                            when(
                                    row(TASK.ID, TASK.LEASE)
                                        .in(
                                            select(
                                                    field(name("id"), UUID.class),
                                                    field(name("lease"), UUID.class))
                                                .from(name("held"))),
                                    inline(true))
                                .otherwise(inline(false))))
                    .returningResult(EndedTasks.deletedColumns()));
    CommonTableExpression<?> ended = EndedTasks.endings("ended", "deleted", "held");

    var returning = new Columns("r");
    var againId = returning.column("id", "againIds", SQLDataType.UUID);
    var againLease = returning.column("lease", "againLeases", SQLDataType.UUID);
    var againDelay = returning.column("delay", "againDelays", SQLDataType.BIGINT);
    var againFailed = returning.column("failed", "againFailed", SQLDataType.INTEGER);
    var againError = returning.column("error", "againErrors", SQLDataType.CLOB);
    CommonTableExpression<?> again =
        name("again")
            .as(
                update(TASK)
                    .set(
                        TASK.STATUS,
                        when(againDelay.le(inline(0L)), inline(PENDING))
                            .otherwise(inline(SCHEDULED)))
                    .set(TASK.RUN_AT, Time.now().add(Time.micros(againDelay)))
                    .set(
                        TASK.POSITION,
                        when(againDelay.le(inline(0L)), TASK_POSITION.nextval())
                            .otherwise(TASK.POSITION))
                    .set(TASK.FAILURES, TASK.FAILURES.add(againFailed))
                    .set(TASK.ERRORS, EndedTasks.errorsAnd(againError.cast(SQLDataType.JSONB)))
                    .set(TASK.LEASE, castNull(TASK.LEASE))
                    .set(TASK.WORKER_ID, castNull(TASK.WORKER_ID))
                    .from(returning.rows())
                    .where(
                        TASK.ID.eq(againId).and(TASK.LEASE.eq(againLease)).and(among("againIds")))
                    .returningResult(TASK.ID));

    CommonTableExpression<?> picked = name("picked").asMaterialized(picks());
    CommonTableExpression<?> claimed =
        name("claimed")
            .as(
                update(TASK)
                    .set(TASK.STATUS, inline(PROCESSING))
                    .set(TASK.ATTEMPT, TASK.ATTEMPT.add(inline(1)))
                    .set(TASK.CLAIMED_AT, Time.now())
                    .set(TASK.WORKER_ID, param("worker", UUID.class))
                    .set(TASK.LEASE, param("lease", UUID.class))
                    .where(
                        TASK.ID.eq(
                            any(array(select(field(name("id"), UUID.class)).from(name("picked"))))))
                    .returningResult(ClaimedRow.columns()));

    return with(held)
        .with(deleted)
        .with(ended)
        .with(EndedTasks.archive("archived", "ended"))
        .with(again)
        .with(picked)
        .with(claimed)
        .select(ClaimedRow.of("claimed"))
        .from(name("claimed"))
        .unionAll(refused());
  }

  /**
   * Says of the joined ids once more what they are: whichever side of the join comes first, the
   * primary key then reads these rows and no more. On a bloated table that looks empty PostgreSQL
   * 15 read all of it otherwise.
   */
  private static Condition among(String ids) {
    return TASK.ID.eq(any(param(ids, SQLDataType.UUID.getArrayDataType())));
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
            .and(TASK.KIND.eq(any(param("kinds", SQLDataType.CLOB.getArrayDataType()))))
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
        .and(commitsLazilyWithoutOutcomes());
  }

  /**
   * True; and a claim that writes no outcome does not wait for its commit to reach the disk: a
   * crash of the server can only forget the claim, and then its tasks are ready again.
   */
  private static Condition commitsLazilyWithoutOutcomes() {
    return condition(
        "coalesce((select set_config('synchronous_commit', 'off', true)"
            + " where cardinality({0}) + cardinality({1}) = 0), '') <> 'never'",
        param("endedIds", SQLDataType.UUID.getArrayDataType()),
        param("againIds", SQLDataType.UUID.getArrayDataType()));
  }

  /**
   * The outcomes that found no task under their lease: sent, and neither ended nor given back. Most
   * often there is none, which the counts tell without comparing ids.
   */
  private static Select<Record> refused() {
    Field<UUID> id = field(name("id"), SQLDataType.UUID);
    var endedIds = param("endedIds", SQLDataType.UUID.getArrayDataType());
    var againIds = param("againIds", SQLDataType.UUID.getArrayDataType());
    var sent = select(id).from(table("unnest({0} || {1})", endedIds, againIds).as("o", "id"));
    var written = select(id).from(name("deleted")).unionAll(select(id).from(name("again")));
    Field<Integer> deletedRows = field(select(count()).from(name("deleted")));
    Field<Integer> againRows = field(select(count()).from(name("again")));
    return select(ClaimedRow.emptyBut(field(name("x", "id"), SQLDataType.UUID)))
        .from(sent.except(written).asTable("x"))
        .where(cardinality(endedIds).add(cardinality(againIds)).gt(deletedRows.add(againRows)));
  }

  /**
   * Runs the exchange in the transaction of {@code connection}; under auto-commit that is the
   * statement alone.
   *
   * @throws SQLException if the database cannot answer. If the connection broke, the outcomes may
   *     have been written and tasks claimed under this claim's lease all the same.
   */
  public Result run(Connection connection, Outcomes outcomes, Claim claim) throws SQLException {
    try (var statement = text.prepare(connection, values(connection, outcomes, claim));
        ResultSet rows = statement.executeQuery()) {
      List<Task> claimed = new ArrayList<>();
      Map<Task.Lane, Long> reached = new HashMap<>();
      Set<UUID> refused = new HashSet<>();
      while (rows.next()) {
        if (ClaimedRow.isEmpty(rows)) {
          refused.add(ClaimedRow.id(rows));
        } else {
          Task task = ClaimedRow.read(rows, claim.lease());
          claimed.add(task);
          reached.merge(task.lane(), ClaimedRow.position(rows), Math::max);
        }
      }
      return new Result(claimed, reached, refused);
    }
  }

  private static Map<String, @Nullable Object> values(
      Connection connection, Outcomes outcomes, Claim claim) throws SQLException {
    List<Ended> ended =
        outcomes.ended().stream().sorted(Comparator.comparing(e -> e.hold().id())).toList();
    List<Again> again =
        outcomes.again().stream().sorted(Comparator.comparing(a -> a.hold().id())).toList();
    List<Map.Entry<String, Integer>> rooms = List.copyOf(claim.rooms().entrySet());
    var arrays = new Arrays(connection);
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("endedIds", arrays.uuid(ended, e -> e.hold().id()));
    values.put("endedLeases", arrays.uuid(ended, e -> e.hold().lease()));
    values.put("endedStatuses", arrays.text(ended, e -> e.status().name()));
    values.put("endedErrors", arrays.text(ended, Ended::error));
    values.put("againIds", arrays.uuid(again, a -> a.hold().id()));
    values.put("againLeases", arrays.uuid(again, a -> a.hold().lease()));
    values.put("againDelays", arrays.int8(again, a -> Time.micros(a.delay())));
    values.put("againFailed", arrays.int4(again, a -> a.failed() ? 1 : 0));
    values.put("againErrors", arrays.text(again, Again::error));
    values.put("queues", arrays.text(rooms, Map.Entry::getKey));
    values.put("queueRooms", arrays.int4(rooms, Map.Entry::getValue));
    values.put("laneQueues", arrays.text(claim.lanes(), l -> l.lane().queue()));
    values.put("lanePriorities", arrays.int2(claim.lanes(), l -> l.lane().priority().level()));
    values.put("laneFloors", arrays.int8(claim.lanes(), LaneRoom::floor));
    values.put("laneRooms", arrays.int4(claim.lanes(), LaneRoom::room));
    values.put("kinds", arrays.text(List.copyOf(claim.kinds()), k -> k));
    values.put("worker", claim.worker());
    values.put("lease", claim.lease());
    return values;
  }

  /** The statement, for those who review it. */
  SqlText text() {
    return text;
  }
}
