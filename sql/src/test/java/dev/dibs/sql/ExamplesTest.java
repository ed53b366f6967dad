package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestRoles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * The examples in other languages, run as processes by users who are members of one role each. Only
 * the schema's name is changed in them, for the roles of a server are common to all tests.
 */
@Timeout(180)
class ExamplesTest {
  private static final Path EXAMPLES = Path.of("src/examples");

  @TempDir Path directory;
  private final TestRoles roles = new TestRoles();
  private final String schema = roles.schema().name();

  @BeforeEach
  void copy() throws IOException {
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String text = Files.readString(file).replaceAll("\\bdibs\\.(?=[a-z])", schema + ".");
        text = text.replace("listen dibs", "listen " + schema);
        Files.writeString(directory.resolve(file.getFileName().toString()), text);
      }
    }
  }

  @AfterEach
  void drop() {
    roles.close();
  }

  /** Runs a program as a new member of the role; answers what it wrote, once it has ended well. */
  private String run(String role, String... command) throws IOException, InterruptedException {
    return run(roles.userName(role), List.of(command));
  }

  private String run(String user, List<String> command) throws IOException, InterruptedException {
    var database = new PGSimpleDataSource();
    database.setUrl(roles.db().url());
    var builder = new ProcessBuilder(command).directory(directory.toFile());
    builder
        .environment()
        .putAll(
            Map.of(
                "PGHOST", String.valueOf(database.getServerNames()[0]),
                "PGPORT", Integer.toString(database.getPortNumbers()[0]),
                "PGDATABASE", String.valueOf(database.getDatabaseName()),
                "PGUSER", user,
                "PGPASSWORD", roles.password()));
    Path output = Files.createTempFile(directory, "output", ".txt");
    Process process = builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    try {
      boolean ended = process.waitFor(120, TimeUnit.SECONDS);
      String said = Files.readString(output);
      assertThat(ended).as(said).isTrue();
      assertThat(process.exitValue()).as(said).isZero();
      return said;
    } finally {
      process.destroyForcibly();
    }
  }

  /** The first of the programs that runs with these arguments. */
  private static String found(
      List<String> programs, List<String> arguments, String what, String packages)
      throws InterruptedException {
    for (String program : programs) if (runs(program, arguments)) return program;
    throw new AssertionError(
        "%s is needed to run the examples; install %s, or leave them out by -Ddibs.examples=false"
            .formatted(what, packages));
  }

  private static boolean runs(String program, List<String> arguments) throws InterruptedException {
    List<String> command = new ArrayList<>(List.of(program));
    command.addAll(arguments);
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    try {
      return builder.redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
    } catch (IOException e) {
      return false; // there is no such program
    }
  }

  private static String psql() throws InterruptedException {
    return found(List.of("psql"), List.of("--version"), "psql", "postgresql-client");
  }

  private static String python() throws InterruptedException {
    // Debian's own has Debian's packages, also where another one comes first.
    return found(
        List.of("python3", "/usr/bin/python3"),
        List.of("-c", "import psycopg"),
        "Python with psycopg 3",
        "python3-psycopg");
  }

  private String node() throws IOException, InterruptedException {
    String node = found(List.of("node"), List.of("--version"), "Node.js", "nodejs");
    String npm = found(List.of("npm"), List.of("--version"), "npm", "npm");
    run("nobody", List.of(npm, "ci", "--prefer-offline", "--no-audit", "--no-fund"));
    return node;
  }

  private List<String> tasks() {
    String tasks =
        roles
            .db()
            .value(
                "select string_agg(concat_ws(' ', kind, payload, status, queue, priority, unique_key), E'\\n' order by position) from %s.task"
                    .formatted(schema));
    return tasks == null ? List.of() : tasks.lines().toList();
  }

  private List<String> history() {
    String tasks =
        roles
            .db()
            .value(
                "select string_agg(concat_ws(' ', payload, status, errors -> 0 ->> 'class'), E'\\n' order by payload::text) from %s.task_history"
                    .formatted(schema));
    return tasks == null ? List.of() : tasks.lines().toList();
  }

  @Test
  void enqueueSql_runsInPsql() throws IOException, InterruptedException {
    run("producer", psql(), "-X", "-f", "enqueue.sql");
    assertThat(tasks())
        .containsExactlyInAnyOrder(
            "greet {\"name\": \"Ada\"} PENDING mail 3",
            "greet {\"name\": \"Grace\"} SCHEDULED mail 1",
            "greet {\"name\": \"Edsger\"} PENDING mail 3",
            "reindex {\"page\": 2} SCHEDULED default 3 reindex-shop",
            "greet {\"name\": \"Barbara\"} PENDING mail 3",
            "greet {\"name\": \"Niklaus\"} SCHEDULED mail 3");
  }

  @Test
  void ordersSql_enqueuesByTrigger() throws IOException, InterruptedException {
    String user = roles.userName("producer");
    roles.db().execute("create schema authorization " + user);
    run(user, List.of(psql(), "-X", "-f", "orders.sql"));
    assertThat(tasks())
        .containsExactly(
            "send-invoice {\"orderId\": 1} PENDING mail 3 invoice-1",
            "send-invoice {\"orderId\": 2} PENDING mail 3 invoice-2");
  }

  @Test
  void python_producesAndWorks() throws IOException, InterruptedException {
    String python = python();
    assertThat(run("producer", python, "producer.py")).hasLineCount(2).contains("INSERTED");
    assertThat(tasks()).hasSize(3);
    assertThat(run("worker", python, "worker.py", "--drain").lines())
        .containsExactly("hello Grace", "hello Ada");
    assertThat(history())
        .containsExactly(
            "{\"name\": \"Ada\"} SUCCEEDED", "{\"name\": \"Grace\"} SUCCEEDED", "{} DEAD KeyError");
    assertThat(roles.db().number("select count(*) from %s.worker".formatted(schema))).isZero();
  }

  @Test
  void javaScript_producesAndWorks() throws IOException, InterruptedException {
    String node = node();
    assertThat(run("producer", node, "producer.mjs")).hasLineCount(2).contains("INSERTED");
    assertThat(tasks()).hasSize(3);
    assertThat(run("worker", node, "worker.mjs", "--drain").lines())
        .contains("hello Grace", "hello Ada");
    assertThat(history())
        .containsExactly(
            "{\"name\": \"Ada\"} SUCCEEDED",
            "{\"name\": \"Grace\"} SUCCEEDED",
            "{} DEAD TypeError");
    assertThat(roles.db().number("select count(*) from %s.worker".formatted(schema))).isZero();
  }
}
