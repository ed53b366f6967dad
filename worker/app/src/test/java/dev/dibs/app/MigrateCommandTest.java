package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import org.junit.jupiter.api.Test;

class MigrateCommandTest {
  @Test
  void migrate_appliesWhatIsMissing() {
    try (var database = TestDatabase.createEmpty()) {
      var first = Run.dibs("migrate", "--schema", "work", "--database-url", database.url());
      assertThat(first.out())
          .isEqualToNormalizingNewlines("schema \"work\" is at version 2 (2 files applied)\n");
      var second = Run.dibs("migrate", "--schema", "work", "--database-url", database.url());
      assertThat(second.out())
          .isEqualToNormalizingNewlines("schema \"work\" is at version 2 (0 files applied)\n");
      assertThat(Run.dibs("status", "--schema", "work", "--database-url", database.url()).code())
          .isZero();
    }
  }

  @Test
  void print_needsNoDatabase() {
    try (var database = TestDatabase.createEmpty()) {
      var run = Run.dibs("migrate", "--print", "--schema", "work");
      assertThat(run.code()).isZero();
      database.execute(run.out());
      assertThat(database.number("select work.schema_version()")).isEqualTo(2);
    }
  }
}
