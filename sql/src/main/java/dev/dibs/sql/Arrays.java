package dev.dibs.sql;

import java.nio.ByteBuffer;
import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.Oid;
import org.postgresql.jdbc.PgArray;

/**
 * Makes one SQL array of one column of many rows.
 *
 * <p>The arrays are of their element's own Java type, since the driver sends only such ones in
 * binary; those of ids, which it would send as text, are put into their binary form here.
 */
record Arrays(Connection connection) {
  private static final int HEADER = 5 * Integer.BYTES;
  private static final int UUID_BYTES = 2 * Long.BYTES;

  <R> Array text(List<R> rows, Function<R, @Nullable String> column) throws SQLException {
    return of("text", String[]::new, rows, column);
  }

  <R> Array int2(List<R> rows, Function<R, @Nullable Short> column) throws SQLException {
    return of("int2", Short[]::new, rows, column);
  }

  <R> Array int4(List<R> rows, Function<R, @Nullable Integer> column) throws SQLException {
    return of("int4", Integer[]::new, rows, column);
  }

  <R> Array int8(List<R> rows, Function<R, @Nullable Long> column) throws SQLException {
    return of("int8", Long[]::new, rows, column);
  }

  <R, T> Array of(
      String type, IntFunction<T[]> array, List<R> rows, Function<R, @Nullable T> column)
      throws SQLException {
    @Nullable T[] values = array.apply(rows.size());
    for (int i = 0; i < values.length; i++) values[i] = column.apply(rows.get(i));
    return connection.createArrayOf(type, values);
  }

  <R> Array uuid(List<R> rows, Function<R, UUID> column) throws SQLException {
    if (!connection.isWrapperFor(BaseConnection.class)) {
      return connection.createArrayOf("uuid", rows.stream().map(column).toArray());
    }
    BaseConnection driver = connection.unwrap(BaseConnection.class);
    return new PgArray(driver, Oid.UUID_ARRAY, binary(rows, column));
  }

  /** The wire form of an array: dimensions, nulls, element type, length, lower bound, elements. */
  private static <R> byte[] binary(List<R> rows, Function<R, UUID> column) {
    boolean empty = rows.isEmpty();
    int size = empty ? 3 * Integer.BYTES : HEADER + rows.size() * (Integer.BYTES + UUID_BYTES);
    ByteBuffer bytes = ByteBuffer.allocate(size);
    bytes.putInt(empty ? 0 : 1).putInt(0).putInt(Oid.UUID);
    if (!empty) bytes.putInt(rows.size()).putInt(1);
    for (R row : rows) {
      UUID id = column.apply(row);
      bytes
          .putInt(UUID_BYTES)
          .putLong(id.getMostSignificantBits())
          .putLong(id.getLeastSignificantBits());
    }
    return bytes.array();
  }
}
