package dev.dibs.sql;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/**
 * Asks the function {@code explain} why a task is not running.
 *
 * <p>Index: primary key, task_lane and task_held; history's by id and by queue. Locks none; counts
 * no further than 10,001 rows. Thread-safe.
 */
public final class ExplainTask {
  /** What is asked apart, so that one that takes long costs no other its answer. */
  public enum Part {
    STATE("where it stands"),
    PAUSES("whether it is paused"),
    WORKERS("whether a worker could take it"),
    LANE("how many are before it");

    private final String question;

    Part(String question) {
      this.question = question;
    }

    /** What it answers, to be read after "could not check". */
    public String question() {
      return question;
    }
  }

  /** A reason as the database gives it. */
  public record Row(
      String code,
      String effect,
      String sentence,
      Optional<Instant> since,
      Optional<Instant> until,
      String details) {}

  private final String sql;

  public ExplainTask(Schema schema) {
    this.sql =
        "select code, effect, sentence, since, until, details::text from \"%s\".explain(?, ?) order by ordinal"
            .formatted(schema.name());
  }

  /** The reasons of one part; none where it has nothing to say of a task in this state. */
  public List<Row> explain(Connection connection, UUID id, Part part) throws SQLException {
    return Rows.list(
        connection,
        sql,
        row ->
            new Row(
                Rows.text(row, 1),
                Rows.text(row, 2),
                Rows.text(row, 3),
                Rows.instant(row, 4),
                Rows.instant(row, 5),
                Rows.text(row, 6)),
        id,
        part.name().toLowerCase(Locale.ROOT));
  }
}
