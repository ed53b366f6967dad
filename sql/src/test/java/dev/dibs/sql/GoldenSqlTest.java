package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * The hot statements as they are sent, committed to be reviewed as SQL. A change here is a change
 * of what the database does; to accept it, run the test with {@code -Ddibs.golden=write}.
 */
class GoldenSqlTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden");

  @Test
  void statements_areWhatWasReviewed() throws IOException {
    for (var statement : statements().entrySet()) {
      Path file = GOLDEN.resolve(statement.getKey() + ".sql");
      String text = lines(statement.getValue().sql());
      if (System.getProperty("dibs.golden", "").equals("write")) Files.writeString(file, text);
      assertThat(text).as(file.toString()).isEqualTo(Files.readString(file));
    }
  }

  /** The hot statements of this build, by the verbs they are. */
  static Map<String, SqlText> statements() {
    return Map.of(
        "end", new Exchange(Schema.DEFAULT).ending(),
        "claim", new Exchange(Schema.DEFAULT).claiming(),
        "cancel", new CancelTask(Schema.DEFAULT).text(),
        "insert", new InsertTasks(Schema.DEFAULT).text(),
        "insert-new", new InsertTasks(Schema.DEFAULT).newText(),
        "finish", new FinishTask(Schema.DEFAULT).text(),
        "promote", new PromoteTasks(Schema.DEFAULT).text(),
        "tick", new TickSchedules(Schema.DEFAULT).text(),
        "rescue", new RescueTasks(Schema.DEFAULT).text());
  }

  /** Broken into lines at the clauses, for readers and diffs. */
  static String lines(String sql) {
    return sql.replaceAll(
                " (?=(from|where|set|order by|limit|returning|union all|cross join|for no key update)\\b)",
                "\n  ")
            .replaceAll("(?<=\\)), (?=\"\\w+\"(\\([^)]*\\))? as )", ",\n")
        + "\n";
  }
}
