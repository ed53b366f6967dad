package dev.dibs.sql;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads the rows of statements that run now and then. */
final class Rows {
  /** What a row is made into. */
  interface Reader<T> {
    T read(ResultSet row) throws SQLException;
  }

  private static final String UNDEFINED_TABLE = "42P01";

  private Rows() {}

  static <T> List<T> list(Connection connection, String sql, Reader<T> reader, Object... parameters)
      throws SQLException {
    try (var statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) statement.setObject(i + 1, parameters[i]);
      try (ResultSet rows = statement.executeQuery()) {
        List<T> list = new ArrayList<>();
        while (rows.next()) list.add(reader.read(rows));
        return list;
      }
    }
  }

  /** The one row; a statement about a table that is not there has none. */
  static <T> T one(Connection connection, String sql, Reader<T> reader, Object... parameters)
      throws SQLException {
    List<T> rows = list(connection, sql, reader, parameters);
    if (rows.isEmpty()) throw new SQLException("what was asked for is not there", UNDEFINED_TABLE);
    return rows.getFirst();
  }

  /** A text that may be null, as an empty one. */
  static String text(ResultSet row, int column) throws SQLException {
    @Nullable String text = row.getString(column);
    return text == null ? "" : text;
  }

  static Optional<Instant> instant(ResultSet row, int column) throws SQLException {
    @Nullable OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
    return Optional.ofNullable(time).map(OffsetDateTime::toInstant);
  }

  /** A number of seconds that may be null. */
  static Optional<Duration> seconds(ResultSet row, int column) throws SQLException {
    double seconds = row.getDouble(column);
    return row.wasNull()
        ? Optional.empty()
        : Optional.of(Duration.ofMillis(Math.round(seconds * 1e3)));
  }

  static double seconds(Duration duration) {
    return duration.toMillis() / 1e3;
  }
}
