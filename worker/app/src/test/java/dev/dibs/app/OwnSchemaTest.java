package dev.dibs.app;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class OwnSchemaTest {
  private static final int TERMINATED = 128 + 15;

  private final TestDatabase server = TestDatabase.createEmpty();
  private final StringWriter err = new StringWriter();

  @TempDir Path directory;

  @AfterEach
  void drop() {
    server.close();
  }

  private OwnSchema mine(Duration patience, String... besides) {
    server.execute("create schema mine");
    server.execute("create table mine.thing (n int)");
    var database = new Database(DatabaseUrl.parse(server.url()), Schema.DEFAULT, "bench", () -> {});
    Shell shell = Run.shell("", new StringWriter(), err, Map.of());
    return new OwnSchema(database, shell, "mine", patience, besides);
  }

  private long schemas() {
    return server.number(
        "select count(*) from pg_namespace where nspname ~ '^(mine|dibs_(bench|demo)_.*)$'");
  }

  private Connection holding(String application) throws Exception {
    Connection other = server.connect();
    other.setAutoCommit(false);
    try (var statement = other.createStatement()) {
      statement.execute("set application_name = '" + application + "'");
      statement.execute("lock table mine.thing in access share mode");
    }
    return other;
  }

  @Test
  void close_cutsOffWhoOfThisProgramStillHoldsIt() throws Exception {
    OwnSchema mine = mine(ofSeconds(10));
    try (Connection child = holding("dibs worker")) {
      mine.close();
      assertThat(child.isValid(5)).isFalse();
    }
    assertThat(schemas()).isZero();
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void close_leavesWhatOthersHoldAndSaysHowToDropIt() throws Exception {
    OwnSchema mine = mine(Duration.ofMillis(1), "create table public.undone ()");
    try (Connection person = holding("psql")) {
      mine.close();
      assertThat(person.isValid(5)).isTrue();
    }
    assertThat(schemas()).isEqualTo(1);
    assertThat(server.number("select count(*) from pg_class where relname = 'undone'"))
        .isEqualTo(1);
    assertThat(err.toString())
        .startsWith("dibs: schema mine is left in the database: ")
        .endsWith("; run: drop schema if exists \"mine\" cascade\n")
        .contains("lock timeout")
        .hasLineCount(1);
  }

  /** As a statement that no interrupt reaches: the command is there no more, and never closes. */
  @Test
  void end_undoesItWhereTheCommandDoesNotDoSoInTime() throws Exception {
    var made = new FutureTask<>(() -> mine(ofSeconds(10)));
    Thread.ofPlatform().start(made);
    OwnSchema mine = made.get();
    mine.endWithTheProcess();
    assertThat(schemas()).isZero();
    mine.close();
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void bench_leavesNoSchemaWhenASignalEndsIt() throws Exception {
    assertEndsCleanly("dibs worker", "bench", "startup", "--tasks=2000", "--rounds=50");
  }

  @Test
  void demo_leavesNeitherSchemaNorTasksWhenASignalEndsIt() throws Exception {
    assertEndsCleanly("dibs demo w1", "demo", "--processes=1", "--concurrency=1");
    assertThat(server.number("select count(*) from dibs.task")).isZero();
  }

  /** The signal comes while a child works in the schema. */
  private void assertEndsCleanly(String child, String... arguments) throws Exception {
    Process process = start(arguments);
    try {
      await()
          .atMost(ofSeconds(60))
          .until(() ->
              server.number(
                      "select count(*) from pg_stat_activity where datname = current_database() and application_name = ?",
                      child)
                  > 0);
      assertThat(schemas()).isEqualTo(1);
      process.destroy();
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    String said = Files.readString(directory.resolve("err"));
    assertThat(process.exitValue()).as(said).isEqualTo(TERMINATED);
    assertThat(schemas()).as(said).isZero();
    assertThat(said).doesNotContain("is left");
  }

  private Process start(String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Dlogback.configurationFile=logback.xml",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.dibs.app.Dibs"));
    command.addAll(List.of(arguments));
    command.add("--database-url=" + server.url());
    return new ProcessBuilder(command)
        .redirectOutput(directory.resolve("out").toFile())
        .redirectError(directory.resolve("err").toFile())
        .start();
  }
}
