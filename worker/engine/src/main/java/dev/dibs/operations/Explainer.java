package dev.dibs.operations;

import dev.dibs.DatabaseException;
import dev.dibs.operations.Explanation.Effect;
import dev.dibs.operations.Explanation.Reason;
import dev.dibs.sql.CheckServer;
import dev.dibs.sql.ExplainTask;
import dev.dibs.sql.ExplainTask.Part;
import dev.dibs.sql.Migrations;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/** Says why a task is not running. Changes nothing. Thread-safe. */
public final class Explainer {
  private static final Duration LONGEST_PART = Duration.ofMillis(500);

  private final DataSource dataSource;
  private final Schema schema;
  private final ExplainTask explain;

  private Explainer(DataSource dataSource, Schema schema) {
    this.dataSource = dataSource;
    this.schema = schema;
    this.explain = new ExplainTask(schema);
  }

  /** An explainer for the schema {@code dibs}. */
  public static Explainer on(DataSource dataSource) {
    return on(dataSource, Schema.DEFAULT);
  }

  /** The user of {@code dataSource} needs to be a viewer, an operator or a worker. */
  public static Explainer on(DataSource dataSource, Schema schema) {
    return new Explainer(dataSource, schema);
  }

  /**
   * Explains a task, whatever became of it; one that is not known is explained, too. Takes half a
   * second a part at the most; a part that takes longer is said to be unknown.
   *
   * @throws dev.dibs.SchemaVersionException if the schema is not one this build works with
   * @throws DatabaseException if the database cannot answer at all, or the user may not ask
   */
  public Explanation explain(UUID id) {
    try (Connection connection = dataSource.getConnection()) {
      Migrations.check(connection, schema);
      Instant now = ShortLook.take(connection, LONGEST_PART, CheckServer::clock);
      List<Reason> reasons = new ArrayList<>();
      for (Part part : Part.values()) reasons.addAll(reasons(connection, id, part));
      return new Explanation(id, now, reasons);
    } catch (SQLException e) {
      throw new DatabaseException("task " + id + " could not be explained", e);
    }
  }

  private List<Reason> reasons(Connection connection, UUID id, Part part) throws SQLException {
    try {
      return ShortLook.take(connection, LONGEST_PART, c -> explain.explain(c, id, part)).stream()
          .map(Explainer::reason)
          .toList();
    } catch (SQLException e) {
      if (!"57014".equals(e.getSQLState()) && !"55P03".equals(e.getSQLState())) throw e;
      return List.of(unknown(part, ShortLook.why(e)));
    }
  }

  private static Reason reason(ExplainTask.Row row) {
    return new Reason(
        row.code(),
        Effect.valueOf(row.effect().toUpperCase(Locale.ROOT)),
        row.sentence(),
        row.since(),
        row.until(),
        row.details().isEmpty() ? "{}" : row.details(),
        Cures.of(row.code()));
  }

  private static Reason unknown(Part part, String why) {
    return new Reason(
        "not-checked",
        Effect.UNKNOWN,
        "could not check " + part.question() + ": " + why,
        Optional.empty(),
        Optional.empty(),
        "{}",
        Cures.of("not-checked"));
  }
}
