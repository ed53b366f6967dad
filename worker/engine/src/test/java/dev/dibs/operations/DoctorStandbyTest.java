package dev.dibs.operations;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.operations.Finding.Severity;
import dev.dibs.sql.Migrations;
import dev.dibs.sql.Schema;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** On a standby everything can be read, and the doctor says that nothing can be written. */
@Timeout(60)
class DoctorStandbyTest {
  @TempDir Path directory = Path.of("");

  private EmbeddedPostgres start() throws IOException {
    return EmbeddedPostgres.builder()
        .setDataDirectory(directory.resolve("data"))
        .setCleanDataDirectory(false)
        .setPGStartupWait(Duration.ofSeconds(60))
        .start();
  }

  @Test
  void aStandby_isFoundAndEverythingElseIsStillRead() throws IOException {
    try (EmbeddedPostgres primary = start()) {
      Migrations.migrate(primary.getPostgresDatabase(), Schema.DEFAULT);
    }
    Files.createFile(directory.resolve("data/standby.signal"));
    try (EmbeddedPostgres standby = start()) {
      List<Finding> findings = Doctor.on(standby.getPostgresDatabase()).examine();
      Finding writable =
          findings.stream().filter(f -> f.check().equals("writable")).findFirst().orElseThrow();
      assertThat(writable.severity()).isEqualTo(Severity.ATTENTION);
      assertThat(writable.sentence()).startsWith("this server is a standby");
      assertThat(
              findings.stream()
                  .filter(f -> f.severity() == Severity.UNKNOWN)
                  .map(Finding::sentence)
                  .collect(Collectors.toList()))
          .isEmpty();
      assertThat(Explainer.on(standby.getPostgresDatabase()).explain(new UUID(1, 2)).isKnown())
          .isFalse();
    }
  }
}
