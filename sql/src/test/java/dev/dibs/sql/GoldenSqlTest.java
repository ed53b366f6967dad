package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
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
    Map<String, SqlText> statements = new TreeMap<>(new InsertUniqueTasks(Schema.DEFAULT).texts());
    statements.put("end", new Exchange(Schema.DEFAULT).ending());
    statements.put("claim", new Exchange(Schema.DEFAULT).claiming());
    statements.put("cancel", new CancelTask(Schema.DEFAULT).text());
    statements.put("edit", new EditTask(Schema.DEFAULT).text());
    statements.put("insert", new InsertTasks(Schema.DEFAULT).text());
    statements.put("insert-new", new InsertTasks(Schema.DEFAULT).newText());
    statements.put("finish", new FinishTask(Schema.DEFAULT).text());
    statements.put("promote", new PromoteTasks(Schema.DEFAULT).text());
    statements.put("tick", new TickSchedules(Schema.DEFAULT).text());
    statements.put("rescue", new RescueTasks(Schema.DEFAULT).text());
    return statements;
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
