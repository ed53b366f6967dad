package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.enums.TaskStatus.SUCCEEDED;
import static org.jooq.impl.DSL.castNull;
import static org.jooq.impl.DSL.count;
import static org.jooq.impl.DSL.dual;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.selectOne;
import static org.jooq.impl.DSL.with;

import dev.dibs.Task;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.impl.SQLDataType;

/**
 * Ends one task as succeeded in the transaction of a handler's own writes, or finds that its lease
 * is gone.
 *
 * <p>Index: primary key. Locks: the one row, until the transaction ends. A rescuer that holds the
 * row is waited for, after which the lease no longer matches. Thread-safe.
 */
public final class FinishTask {
  private static final Condition HELD =
      TASK.ID.eq(param("id", UUID.class)).and(TASK.LEASE.eq(param("lease", UUID.class)));

  private final SqlText finish;
  private final SqlText check;
  private final SqlText fence;

  public FinishTask(Schema schema) {
    var ended =
        EndedTasks.delete(
            "ended",
            dual(),
            HELD,
            inline(SUCCEEDED),
            EndedTasks.errorsAnd(castNull(SQLDataType.JSONB)),
            TASK.LOSSES);
    this.finish =
        SqlText.of(
                schema,
                with(ended)
                    .with(EndedTasks.archive("archived", "ended"))
                    .select(count())
                    .from(name("ended")))
            .after(Plans.BY_INDEX);
    this.check = SqlText.of(schema, selectOne().from(TASK).where(HELD));
    this.fence = SqlText.of(schema, selectOne().from(TASK).where(HELD).forShare());
  }

  /**
   * A condition with two {@code ?}, for {@link #fenceValues}: true while the hold holds its task.
   *
   * <p>It locks the task's row, shared, until the statement's transaction ends. Without that lock a
   * statement that began before the task changed hands could still write after it had: it would
   * look for the lease in its old snapshot.
   */
  public String fence() {
    return "exists (" + fence.sql() + ")";
  }

  /** What the condition's {@code ?} stand for, in their order. */
  public static List<Object> fenceValues(Task.Hold hold) {
    return List.of(hold.id(), hold.lease());
  }

  /**
   * Ends the task if {@code hold} still holds it, and answers whether it did. Nothing is committed
   * here.
   */
  public boolean finishIfHeld(Connection connection, Task.Hold hold) throws SQLException {
    try (var statement = finish.prepare(connection, values(hold))) {
      statement.execute();
      statement.getMoreResults();
      statement.getMoreResults();
      try (var rows = statement.getResultSet()) {
        rows.next();
        return rows.getInt(1) == 1;
      }
    }
  }

  /** Whether {@code hold} holds its task at this moment. */
  public boolean isHeld(Connection connection, Task.Hold hold) throws SQLException {
    try (var statement = check.prepare(connection, values(hold));
        var rows = statement.executeQuery()) {
      return rows.next();
    }
  }

  private static Map<String, Object> values(Task.Hold hold) {
    return Map.of("id", hold.id(), "lease", hold.lease());
  }

  /** The statement, for those who review it. */
  SqlText text() {
    return finish;
  }
}
