package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** A session that speaks SQL and nothing else, as one in any language does. Used by one thread. */
record Session(Connection connection) implements AutoCloseable {
  static Session on(TestDatabase db) {
    return new Session(db.connectReadCommitted());
  }

  /** What a statement answers: rows of columns as text; none where it answers no rows. */
  List<List<@Nullable String>> rows(String sql, @Nullable Object... parameters)
      throws SQLException {
    try (var statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) statement.setObject(i + 1, parameters[i]);
      List<List<@Nullable String>> answer = new ArrayList<>();
      if (!statement.execute()) return answer;
      try (ResultSet rows = statement.getResultSet()) {
        int columns = rows.getMetaData().getColumnCount();
        while (rows.next()) {
          List<@Nullable String> row = new ArrayList<>();
          for (int i = 1; i <= columns; i++) row.add(rows.getString(i));
          answer.add(row);
        }
      }
      return answer;
    }
  }

  /** The one value that a statement answers. */
  String value(String sql, @Nullable Object... parameters) throws SQLException {
    return String.valueOf(rows(sql, parameters).getFirst().getFirst());
  }

  void execute(String sql, @Nullable Object... parameters) throws SQLException {
    rows(sql, parameters);
  }

  /** All that the server says of a statement that it refuses with {@code state}. */
  String refused(String state, String sql, @Nullable Object... parameters) {
    try {
      rows(sql, parameters);
    } catch (PSQLException e) {
      assertThat(e.getSQLState()).as(e.getMessage()).isEqualTo(state);
      ServerErrorMessage said = e.getServerErrorMessage();
      if (said == null) throw new AssertionError("the server said nothing", e);
      return said.getMessage()
          + "\n"
          + said.getDetail()
          + "\n"
          + said.getHint()
          + "\n"
          + said.getWhere();
    } catch (SQLException e) {
      throw new AssertionError("not from the server", e);
    }
    throw new AssertionError("was not refused: " + sql);
  }

  /** What was notified to this session until now; it must listen. */
  List<String> heard() throws SQLException {
    List<String> heard = new ArrayList<>();
    execute("select 1");
    var notifications = connection.unwrap(PGConnection.class).getNotifications();
    if (notifications != null)
      for (var notification : notifications) heard.add(notification.getParameter());
    return heard;
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
