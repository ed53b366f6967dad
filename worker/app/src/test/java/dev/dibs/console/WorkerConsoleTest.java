package dev.dibs.console;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.console.testing.Scene;
import dev.dibs.testing.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The console in a worker's process, at its end. */
@Timeout(120)
class WorkerConsoleTest {
  @TempDir Path directory;

  private Process worker(TestDatabase database) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Ddibs.home=" + directory.resolve("home"),
            "-Dlogback.configurationFile=logback.xml",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.dibs.app.Dibs",
            "worker",
            "--database-url",
            database.url(),
            "--exec-allow",
            "/bin/sh",
            "--console",
            "0",
            "--console-environment",
            "test")
        .redirectOutput(directory.resolve("out").toFile())
        .redirectError(directory.resolve("err").toFile())
        .start();
  }

  private String url() throws IOException {
    String out = Files.readString(directory.resolve("out"));
    return out.contains("dibs console on ")
        ? out.replaceFirst("(?s).*dibs console on (\\S+) .*", "$1")
        : "";
  }

  @Test
  void aSignal_letsTheBulksOfTheConsoleGoWhileTheWorkerDrains() throws Exception {
    Path go = directory.resolve("go");
    try (var database = TestDatabase.create()) {
      Scene.on(database).finished(1_000, "DEAD", "mail", "k", "1 minute");
      database.value(
          "select dibs.enqueue('exec', jsonb_build_object('command', array['/bin/sh', '-c', ?]))",
          "while ! test -e " + go + "; do sleep 0.05; done");
      Process worker = worker(database);
      try {
        await().atMost(ofSeconds(60)).until(() -> !url().isEmpty());
        await().atMost(ofSeconds(20)).until(() -> database.tasks("PROCESSING") == 1);
        try (Client client = new Client(url())) {
          Client.Page preview = client.get("/bulk/new?do=retry&status=DEAD&queue=mail");
          ConsoleBulkTest.begin(client, preview, "why", "INC-204 is mended", "rate", "100");
          String bulk = "from dibs.bulk where id = '" + UUID.fromString(preview.request()) + "'";
          await().atMost(ofSeconds(20)).until(() -> database.number("select seen " + bulk) > 0);
          worker.destroy();
          await()
              .atMost(ofSeconds(20))
              .until(() -> !"RUNNING".equals(database.value("select status " + bulk)));
          assertThat(database.value("select status " + bulk)).isEqualTo("STOPPED");
          assertThat(database.number("select seen " + bulk)).isBetween(1L, 999L);
          assertThat(database.tasks("PROCESSING")).as("it drains").isEqualTo(1);
          assertThat(client.get("/workers").status()).as("and shows it").isEqualTo(200);
          Client.Page late = client.get("/bulk/new?do=retry&status=DEAD&queue=mail");
          Client.Page refused = ConsoleBulkTest.begin(client, late, "why", "once more, please");
          assertThat(refused.status()).isEqualTo(503);
          assertThat(refused.body()).contains("Nothing was changed");
          assertThat(database.number("select count(*) from dibs.bulk")).isEqualTo(1);
        }
        Files.createFile(go);
        assertThat(worker.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(worker.exitValue()).isEqualTo(143);
        assertThat(database.finished("SUCCEEDED")).isEqualTo(1);
        assertThat(Files.readString(directory.resolve("err"))).doesNotContain("Exception");
      } finally {
        worker.descendants().forEach(ProcessHandle::destroyForcibly);
        worker.destroyForcibly();
      }
    }
  }
}
