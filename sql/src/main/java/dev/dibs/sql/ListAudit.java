package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.AUDIT;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.row;
import static org.jooq.impl.DSL.val;

import dev.dibs.AuditFilter;
import dev.dibs.AuditRow;
import dev.dibs.Page;
import dev.dibs.Request;
import java.sql.Connection;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.Record;

/**
 * Lists what was asked for by hand, the newest first.
 *
 * <p>Index: audit_target where a target is given, else audit_at; in its order, until the page is
 * full. Locks nothing. One statement. Thread-safe.
 */
public final class ListAudit {
  private final Schema schema;

  public ListAudit(Schema schema) {
    this.schema = schema;
  }

  /**
   * Lists at most {@code size} rows.
   *
   * @throws IllegalArgumentException if the cursor is none of this list
   */
  public Page<AuditRow> list(
      Connection connection, AuditFilter filter, Optional<Page.Cursor> after, int size) {
    Condition older = after.map(ListAudit::before).orElse(noCondition());
    List<AuditRow> rows =
        schema
            .dsl(connection)
            .select(AUDIT.fields())
            .from(AUDIT)
            .where(matches(filter))
            .and(older)
            .orderBy(AUDIT.AT.desc(), AUDIT.ID.desc())
            .limit(size + 1)
            .fetch(ListAudit::read);
    if (rows.size() <= size) return new Page<>(rows, rows.size(), Optional.empty());
    List<AuditRow> shown = rows.subList(0, size);
    AuditRow last = shown.getLast();
    return new Page<>(
        shown,
        size,
        Optional.of(Page.Cursor.of(List.of(last.at().toString(), last.request().id().toString()))));
  }

  private static Condition matches(AuditFilter filter) {
    Condition since = filter.time().since().map(at -> AUDIT.AT.ge(utc(at))).orElse(noCondition());
    return since
        .and(filter.time().until().map(at -> AUDIT.AT.lt(utc(at))).orElse(noCondition()))
        .and(filter.actor().map(AUDIT.ACTOR::eq).orElse(noCondition()))
        .and(
            filter
                .action()
                .map(action -> AUDIT.ACTION.eq(action).or(AUDIT.ACTION.startsWith(action + ".")))
                .orElse(noCondition()))
        .and(filter.target().map(AUDIT.TARGET::eq).orElse(noCondition()));
  }

  private static Condition before(Page.Cursor cursor) {
    List<String> keys = cursor.keys(2);
    try {
      return row(AUDIT.AT, AUDIT.ID)
          .lt(row(val(utc(Instant.parse(keys.get(0)))), val(UUID.fromString(keys.get(1)))));
    } catch (IllegalArgumentException | DateTimeException e) {
      throw cursor.refused();
    }
  }

  private static OffsetDateTime utc(Instant instant) {
    return instant.atOffset(ZoneOffset.UTC);
  }

  private static AuditRow read(Record row) {
    return new AuditRow(
        Request.kept(
            row.get(AUDIT.ID), row.get(AUDIT.ACTOR), row.get(AUDIT.SOURCE), row.get(AUDIT.WHY)),
        row.get(AUDIT.AT).toInstant(),
        row.get(AUDIT.LOGIN),
        row.get(AUDIT.ACTION),
        row.get(AUDIT.TARGET),
        new AuditRow.Change(
            Optional.ofNullable(row.get(AUDIT.BEFORE)), Optional.ofNullable(row.get(AUDIT.AFTER))),
        row.get(AUDIT.RESULT));
  }
}
