package dev.dibs.sql;

import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Makes one SQL array of one column of many rows. */
record Arrays(Connection connection) {
  <R> Array of(String type, List<R> rows, Function<R, @Nullable Object> column)
      throws SQLException {
    @Nullable Object[] values = new @Nullable Object[rows.size()];
    for (int i = 0; i < values.length; i++) values[i] = column.apply(rows.get(i));
    return connection.createArrayOf(type, values);
  }
}
