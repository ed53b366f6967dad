package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.sql.Migrations;
import dev.dibs.testing.TestDatabase;
import dev.dibs.testing.TestRoles;
import org.junit.jupiter.api.Test;

class MigrateCommandTest {
  private static String stands(int files) {
    return "schema \"work\" is at version %d (%d files applied)\n"
        .formatted(Migrations.VERSION, files);
  }

  @Test
  void migrate_appliesWhatIsMissing() {
    try (var database = TestDatabase.createEmpty()) {
      var first = Run.dibs("migrate", "--schema", "work", "--database-url", database.url());
      assertThat(first.out()).isEqualToNormalizingNewlines(stands(Migrations.VERSION));
      var second = Run.dibs("migrate", "--schema", "work", "--database-url", database.url());
      assertThat(second.out()).isEqualToNormalizingNewlines(stands(0));
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
      assertThat(database.number("select work.schema_version()")).isEqualTo(Migrations.VERSION);
    }
  }

  @Test
  void roles_areCreatedAndGrantedOrPrinted() {
    try (var database = TestDatabase.createEmpty()) {
      String schema = "r" + Long.toHexString(System.nanoTime());
      try {
        var run =
            Run.dibs("migrate", "--roles", "--schema", schema, "--database-url", database.url());
        assertThat(run.out())
            .contains("(%d files applied), its roles are granted".formatted(Migrations.VERSION));
        String may =
            "select has_function_privilege('%s_producer', '%s.enqueue_many(jsonb)', 'EXECUTE')"
                .formatted(schema, schema);
        assertThat(database.value(may)).isEqualTo("t");
        database.execute("drop schema %s cascade".formatted(schema));
        database.execute(Run.dibs("migrate", "--print", "--roles", "--schema", schema).out());
        assertThat(database.value(may)).isEqualTo("t");
      } finally {
        database.execute("drop schema if exists %s cascade".formatted(schema));
        for (String role : TestRoles.ROLES)
          database.execute("drop role if exists %s_%s".formatted(schema, role));
      }
    }
  }
}
