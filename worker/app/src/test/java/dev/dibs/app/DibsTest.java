package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every command has in common: help, errors on one line, exit codes, the database options. */
class DibsTest {
  private static final String NOBODY = "jdbc:postgresql://localhost:1/nobody";

  @ParameterizedTest
  @ValueSource(strings = {"enqueue", "status", "migrate"})
  void help_endsWellAndNamesTheVariables(String command) {
    var run = Run.dibs(command, "--help");
    assertThat(run.code()).isZero();
    assertThat(run.out())
        .contains("Usage: dibs " + command, "DIBS_DATABASE_URL", "default: dibs, DIBS_SCHEMA");
    assertThat(run.err()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"demo", "bench", "worker", "enqueue"})
  void help_tellsWhatIsTheDatabaseWithoutAUrl(String command) {
    assertThat(Run.dibs(command, "--help").out().replaceAll("\\s+", " "))
        .contains(
            "demo and bench start an embedded PostgreSQL of their own; worker starts one that all others join, and they fail",
            "Its data is gone when the process ends that started it.");
  }

  @Test
  void help_ofDibsListsEveryCommand() {
    var run = Run.dibs("--help");
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("enqueue", "gateway", "status", "migrate");
    assertThat(run.out()).contains("2 wrong usage", "143 after SIGTERM and 130 after SIGINT");
  }

  @Test
  void help_neverShowsThePasswordOfTheEnvironment() {
    var run = Run.dibs("", Map.of("DIBS_DATABASE_PASSWORD", "hunter2"), "status", "--help");
    assertThat(run.out()).doesNotContain("hunter2");
  }

  @Test
  void version_tellsJavaToo() {
    var run = Run.dibs("--version");
    assertThat(run.code()).isZero();
    assertThat(run.out()).startsWith("dibs ").contains("on Java");
  }

  @Test
  void unknownCommand_isWrongUsage() {
    assertWrongUsage(
        Run.dibs("statsu"),
        "dibs: unknown command 'statsu', did you mean 'status'?; see `dibs --help`");
  }

  @Test
  void noCommand_isWrongUsage() {
    assertWrongUsage(Run.dibs(), "dibs: Missing required subcommand; see `dibs --help`");
  }

  @Test
  void unknownOption_isWrongUsage() {
    assertWrongUsage(
        Run.dibs("status", "--foo"), "dibs: Unknown option: '--foo'; see `dibs status --help`");
  }

  @Test
  void badUrl_isWrongUsageAndShowsNoPassword() {
    var run = Run.dibs("status", "--database-url", "mysql://me:hunter2@host/db");
    assertWrongUsage(
        run,
        "dibs: --database-url must be like jdbc:postgresql://host:5432/database, was 'mysql://me:***@host/db'; see `dibs status --help`");
  }

  @Test
  void badSchema_isWrongUsage() {
    var run = Run.dibs("status", "--schema", "No");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("--schema", "'No'").hasLineCount(1);
  }

  @Test
  void databaseDown_failsFast() {
    var run = Run.dibs("status", "--fail-fast", "--database-url", NOBODY);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err())
        .startsWith("dibs: database " + NOBODY + " cannot be reached: ")
        .contains("check --database-url");
    assertThat(run.err()).hasLineCount(1);
  }

  @Test
  void environment_standsInForOptions() {
    var run = Run.dibs("", Map.of("DIBS_DATABASE_URL", NOBODY, "DIBS_FAIL_FAST", "true"), "status");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains(NOBODY);
  }

  @Test
  void environment_isOverruledByAnOption() {
    var run =
        Run.dibs("", Map.of("DIBS_DATABASE_URL", NOBODY), "status", "--database-url", "nonsense");
    assertThat(run.err()).contains("'nonsense'");
  }

  @Test
  void unknownDatabase_isNotWaitedFor() {
    try (var database = TestDatabase.createEmpty()) {
      var run =
          Run.dibs("status", "--database-url", database.url().replace("dibs_test_", "no_such_"));
      assertThat(run.code()).isEqualTo(1);
      assertThat(run.err())
          .contains("no_such_", "does not exist", "check --database-url")
          .hasLineCount(1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"status", "enqueue --kind x", "schedules list"})
  void missingSchema_namesMigrate(String command) {
    try (var database = TestDatabase.createEmpty()) {
      var run = Run.dibs((command + " --database-url " + database.url()).split(" "));
      assertThat(run.code()).isEqualTo(1);
      assertThat(run.err())
          .isEqualToNormalizingNewlines(
              "dibs: the database has no Dibs schema \"dibs\"; run `dibs migrate`\n");
    }
  }

  @Test
  void otherSchemaVersion_isRefused() {
    try (var database = TestDatabase.create()) {
      database.execute(
          "create or replace function dibs.schema_version() returns integer language sql as 'select 99'");
      database.execute(
          "create or replace function dibs.schema_serves_from() returns integer language sql immutable as 'select 98'");
      var run = Run.dibs("enqueue", "--kind", "x", "--database-url", database.url());
      assertThat(run.code()).isEqualTo(1);
      assertThat(run.err()).contains("is at version 99").hasLineCount(1);
    }
  }

  @Test
  void passwordFile_thatIsMissingIsWrongUsage() {
    var run =
        Run.dibs("status", "--database-url", NOBODY, "--database-password-file", "/no/such/file");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("/no/such/file").hasLineCount(1);
  }

  @Test
  void passwordFile_andPasswordAreOneTooMany(@TempDir Path directory) throws Exception {
    Path file = Files.writeString(directory.resolve("password"), "hunter2\n");
    var run =
        Run.dibs(
            "status",
            "--database-url",
            NOBODY,
            "--database-password",
            "a",
            "--database-password-file",
            file.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("not both").doesNotContain("hunter2");
  }

  private static void assertWrongUsage(Run run, String message) {
    assertThat(run.err()).isEqualTo(message + System.lineSeparator());
    assertThat(run.out()).isEmpty();
    assertThat(run.code()).isEqualTo(2);
  }
}
