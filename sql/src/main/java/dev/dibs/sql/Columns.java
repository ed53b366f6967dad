package dev.dibs.sql;

import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.table;

import java.util.ArrayList;
import java.util.List;
import org.jooq.DataType;
import org.jooq.Field;
import org.jooq.QueryPart;
import org.jooq.Record;
import org.jooq.Table;

/**
 * Rows that travel as one array a column and are unnested by the database: any number of rows, one
 * text.
 *
 * <p>Not thread-safe; used while a statement is being built.
 */
final class Columns {
  private final String alias;
  private final List<String> names = new ArrayList<>();
  private final List<QueryPart> arrays = new ArrayList<>();

  Columns(String alias) {
    this.alias = alias;
  }

  /** Adds a column whose values are bound to the parameter {@code parameter} as an array. */
  <T> Field<T> column(String column, String parameter, DataType<T> type) {
    names.add(column);
    arrays.add(param(parameter, type.getArrayDataType()));
    return field(name(alias, column), type);
  }

  /** The unnested rows, once every column was added. */
  Table<Record> rows() {
    StringBuilder template = new StringBuilder("unnest(");
    for (int i = 0; i < arrays.size(); i++)
      template.append(i == 0 ? "{" : ", {").append(i).append('}');
    return table(template.append(')').toString(), arrays.toArray(QueryPart[]::new))
        .as(alias, names.toArray(String[]::new));
  }
}
