package dev.dibs.app;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedDatabaseTest {
  @TempDir Path home;

  private final StringWriter err = new StringWriter();
  private final Shell shell = Run.shell("", new StringWriter(), err, Map.of());

  @BeforeEach
  void moveHome() {
    System.setProperty("dibs.home", home.resolve("dibs").toString());
  }

  @AfterEach
  void moveBack() {
    System.clearProperty("dibs.home");
  }

  private Path file() {
    return home.resolve("dibs/embedded.json");
  }

  @Test
  void shared_isFoundByCommandsAndGoneAfterClose() throws Exception {
    Path directory;
    try (var database = new DatabaseOptions().findOrStart(shell, "worker")) {
      directory = Path.of(setting(database, "data_directory"));
      assertThat(directory).isDirectory();
      assertThat(setting(database, "fsync")).isEqualTo("on");
      assertThat(setting(database, "synchronous_commit")).isEqualTo("on");
      assertThat(setting(database, "listen_addresses")).isEqualTo("127.0.0.1");
      assertThat(setting(database, "application_name")).isEqualTo("dibs worker");
      assertThat(err.toString())
          .contains("EMBEDDED", database.url().toString(), "GONE", "--database-url");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
          .isEqualTo("rw-------");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file().getParent())))
          .isEqualTo("rwx------");

      var enqueued = Run.dibs("enqueue", "--kind", "k");
      assertThat(enqueued.code()).isZero();
      assertThat(enqueued.err())
          .contains("using the embedded PostgreSQL of process " + ProcessHandle.current().pid());
      assertThat(Run.dibs("status").out()).contains("default");
      assertThat(Run.dibs("migrate").out()).contains("0 files applied");
    }
    assertThat(file()).doesNotExist();
    assertThat(directory).doesNotExist();
    assertThat(Run.dibs("status").code()).isEqualTo(2);
  }

  @Test
  void shared_isJoinedByTheSecond() {
    try (var first = EmbeddedDatabase.startShared(shell)) {
      try (var second = EmbeddedDatabase.startShared(shell)) {
        assertThat(second.url()).isEqualTo(first.url());
      }
      assertThat(EmbeddedDatabase.find(shell)).isPresent();
    }
  }

  @Test
  void privateOne_isFoundByNobody() {
    try (var database = new DatabaseOptions().startPrivate(shell, "demo")) {
      assertThat(database.url().toString()).startsWith("jdbc:postgresql://127.0.0.1:");
      assertThat(EmbeddedDatabase.find(shell)).isEmpty();
    }
  }

  @Test
  void pool_hasItsSizeAndName() throws Exception {
    try (var database = new DatabaseOptions().startPrivate(shell, "demo");
        var pool = database.pooled(3, ofSeconds(30));
        Connection connection = pool.getConnection()) {
      assertThat(connection.isValid(5)).isTrue();
      await()
          .atMost(ofSeconds(20))
          .until(() -> pool.getHikariPoolMXBean().getTotalConnections() == 3);
    }
  }

  @Test
  void noneRunning_isWrongUsageAndNamesBothWays() {
    var run = Run.dibs("status");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err())
        .contains(
            "no database: give --database-url (or DIBS_DATABASE_URL), or start `dibs worker`");
  }

  @Test
  void staleFile_isIgnored() throws Exception {
    Files.createDirectories(file().getParent());
    Process ended = new ProcessBuilder("true").start();
    ended.waitFor();
    write("jdbc:postgresql://127.0.0.1:1/postgres?user=postgres", ended.pid());
    assertThat(Run.dibs("status").code()).isEqualTo(2);
    write("jdbc:postgresql://127.0.0.1:1/postgres?user=postgres", ProcessHandle.current().pid());
    assertThat(Run.dibs("status").code()).isEqualTo(2);
  }

  @Test
  void brokenFile_isNamed() throws Exception {
    Files.createDirectories(file().getParent());
    Files.writeString(file(), "{");
    var run = Run.dibs("status");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains(file().toString(), "delete it").hasLineCount(1);
  }

  private void write(String url, long pid) throws Exception {
    Files.writeString(file(), "{\"url\":\"" + url + "\",\"pid\":" + pid + "}");
  }

  private static String setting(Database database, String name) throws Exception {
    try (Connection connection = database.plain(ofSeconds(5)).getConnection();
        var rows = connection.createStatement().executeQuery("show " + name)) {
      rows.next();
      return rows.getString(1);
    }
  }
}
