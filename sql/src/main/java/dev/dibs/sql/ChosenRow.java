package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static org.jooq.impl.DSL.inline;

import dev.dibs.sql.schema.enums.TaskStatus;
import org.jooq.Condition;
import org.jooq.impl.SQLDataType;

/**
 * Rows that a statement has chosen by their status and locked, and then finds again by their ids.
 */
final class ChosenRow {
  private ChosenRow() {}

  /**
   * That a row has {@code status}: the same id in another queue is another task in a state of its
   * own. Compared as text, or the planner could take the index of the whole status for that of the
   * ids.
   */
  static Condition isStill(TaskStatus status) {
    return TASK.STATUS.cast(SQLDataType.CLOB).eq(inline(status.getLiteral()));
  }
}
