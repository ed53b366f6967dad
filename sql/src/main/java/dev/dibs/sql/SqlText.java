package dev.dibs.sql;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jooq.Query;
import org.jspecify.annotations.Nullable;

/**
 * A statement that jOOQ rendered once: constant text, and the names of its parameters in their
 * order.
 *
 * <p>Hot statements run through this, so that neither rendering nor record mapping is paid for per
 * call and the server's prepared statement is found again. Immutable.
 */
record SqlText(String sql, List<String> parameters) {
  /**
   * Marks a named parameter while rendering; two characters that occur nowhere else in our
   * statements.
   */
  static final String PREFIX = "@@";

  private static final Pattern PARAMETER = Pattern.compile(PREFIX + "(\\w+)");

  SqlText {
    parameters = List.copyOf(parameters);
  }

  static SqlText of(Schema schema, Query query) {
    Matcher matcher = PARAMETER.matcher(schema.dsl().renderNamedParams(query));
    List<String> parameters = new ArrayList<>();
    String sql =
        matcher.replaceAll(match -> {
          parameters.add(match.group(1));
          return "?";
        });
    return new SqlText(sql, parameters);
  }

  /** The same text sent behind {@code before}, in one message. */
  SqlText after(String before) {
    return new SqlText(before + sql, parameters);
  }

  /** Binds {@code values}, which must have every parameter's name as a key. */
  PreparedStatement prepare(Connection connection, Map<String, ? extends @Nullable Object> values)
      throws SQLException {
    PreparedStatement statement = connection.prepareStatement(sql);
    try {
      for (int i = 0; i < parameters.size(); i++) {
        String name = parameters.get(i);
        if (!values.containsKey(name))
          throw new IllegalArgumentException("no value for parameter " + name);
        statement.setObject(i + 1, values.get(name));
      }
      return statement;
    } catch (SQLException | RuntimeException e) {
      statement.close();
      throw e;
    }
  }
}
