package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A schema that was released is never changed, only added to, and workers of the versions before
 * keep running beside the new ones. When a version is released, {@code -Ddibs.release=write} keeps
 * what it sends.
 */
class UpgradeTest {
  private static final UUID WORKER = UUID.randomUUID();

  private final TestDatabase db = TestDatabase.createEmpty();
  private final Connection connection = db.connect();
  private Map<String, SqlText> statements = Map.of();

  static List<Release> releases() throws IOException {
    return Release.all();
  }

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  @Test
  void theSchemaOfThisBuild_isKeptFromNowOn() throws IOException {
    if (System.getProperty("dibs.release", "").equals("write"))
      Release.ofThisBuild().write(migration(Migrations.VERSION), GoldenSqlTest.statements());
    assertThat(Release.all()).contains(Release.ofThisBuild());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("releases")
  void aMigrationThatWasReleased_isTheSameByteForByte(Release release) throws IOException {
    assertThat(migration(release.version())).isEqualTo(release.migration());
  }

  private static byte[] migration(int version) throws IOException {
    String file = Migrations.file(version);
    try (InputStream in =
        Migrations.class.getClassLoader().getResourceAsStream(Migrations.LOCATION + "/" + file)) {
      assertThat(in).as(file).isNotNull();
      return in == null ? new byte[0] : in.readAllBytes();
    }
  }

  /** Tasks in every state outlive the migration, and the workers that hold them may go on. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("releases")
  void aWorkerOfARelease_goesOnBesideTheNewSchema(Release release)
      throws IOException, SQLException {
    Flyway.configure()
        .dataSource(db.dataSource())
        .defaultSchema(Schema.DEFAULT.name())
        .createSchemas(true)
        .locations("classpath:" + Migrations.LOCATION)
        .target(Integer.toString(release.version()))
        .load()
        .migrate();
    statements = release.statements();
    UUID[] tasks = new UUID[9];
    for (int i = 0; i < tasks.length; i++) tasks[i] = new UUID(0, i);
    insert(0, tasks[0], tasks[1], tasks[2], tasks[3], tasks[4]);
    insert(3_600_000_000L, tasks[5]);
    UUID lease = UUID.randomUUID();
    assertThat(claim(lease, 4)).isEqualTo(4);

    Migrations.migrate(db.dataSource(), Schema.DEFAULT);

    assertThat(end(tasks[0], tasks[1], lease)).isZero();
    assertThat(finish(tasks[2], lease)).isEqualTo(1);
    assertThat(finish(tasks[2], lease)).isZero();
    assertThat(rows("rescue", Map.of("worker", WORKER, "host", "h", "maxLosses", 3, "max", 9)))
        .isEqualTo(1);
    assertThat(db.number("select losses from dibs.task where id = ?", tasks[3])).isEqualTo(1);
    assertThat(rows("cancel", Map.of("id", tasks[4], "reason", "why"))).isEqualTo(1);
    db.execute("update dibs.task set run_at = now() - interval '1 s' where status = 'SCHEDULED'");
    assertThat(rows("promote", Map.of("max", 9))).isEqualTo(1);
    insert(0, tasks[6]);
    UUID later = UUID.randomUUID();
    assertThat(claim(later, 9)).isEqualTo(4); // the retried, the rescued, the promoted, the new
    assertThat(end(tasks[6], tasks[5], lease)).isEqualTo(2); // another's lease
    assertThat(db.tasks("PROCESSING")).isEqualTo(4);
    assertThat(db.finished("SUCCEEDED")).isEqualTo(2);
    assertThat(db.finished("CANCELLED")).isEqualTo(1);
  }

  private void insert(long delay, UUID... ids) throws SQLException {
    int n = ids.length;
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("ids", connection.createArrayOf("uuid", ids));
    values.put("queues", same("text", n, "q"));
    values.put("kinds", same("text", n, "k"));
    values.put("priorities", same("int2", n, (short) 3));
    values.put("delays", same("int8", n, delay));
    values.put("runAts", same("timestamptz", n, null));
    values.put("maxAttempts", same("int4", n, 25));
    values.put("timeouts", same("int8", n, 5_000_000L));
    values.put("payloads", same("text", n, "{}"));
    values.put("headers", same("text", n, null));
    assertThat(rows("insert", values)).isEqualTo(n);
  }

  private int claim(UUID lease, int room) throws SQLException {
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("queues", same("text", 1, "q"));
    values.put("queueRooms", same("int4", 1, room));
    values.put("laneQueues", same("text", 1, "q"));
    values.put("lanePriorities", same("int2", 1, (short) 3));
    values.put("laneFloors", same("int8", 1, 0L));
    values.put("laneRooms", same("int4", 1, room));
    values.put("kinds", same("text", 1, "k"));
    values.put("worker", WORKER);
    values.put("lease", lease);
    values.put("lazily", true);
    return rows("claim", values);
  }

  /** Ends one, retries the other, and answers how many were refused. */
  private int end(UUID ended, UUID again, UUID lease) throws SQLException {
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("endedIds", same("uuid", 1, ended));
    values.put("endedLeases", same("uuid", 1, lease));
    values.put("endedStatuses", same("text", 1, "SUCCEEDED"));
    values.put("endedErrors", same("text", 1, null));
    values.put("endings", same("int2", 1, (short) 0));
    values.put("oddStatuses", same("text", 0, ""));
    values.put("oddErrors", same("text", 0, ""));
    values.put("againIds", same("uuid", 1, again));
    values.put("againLeases", same("uuid", 1, lease));
    values.put("againDelays", same("int8", 1, 0L));
    values.put("againFailed", same("int4", 1, 1));
    values.put("againErrors", same("text", 1, "{}"));
    return rows("end", values);
  }

  private int finish(UUID task, UUID lease) throws SQLException {
    connection.setAutoCommit(false);
    try (var statement = text("finish").prepare(connection, Map.of("id", task, "lease", lease))) {
      boolean isResult = statement.execute();
      while (!isResult) isResult = statement.getMoreResults();
      try (var rows = statement.getResultSet()) {
        rows.next();
        return rows.getInt(1);
      }
    } finally {
      connection.commit();
      connection.setAutoCommit(true);
    }
  }

  private java.sql.Array same(String type, int length, @Nullable Object value) throws SQLException {
    List<@Nullable Object> values = new ArrayList<>();
    for (int i = 0; i < length; i++) values.add(value);
    return connection.createArrayOf(type, values.toArray());
  }

  private SqlText text(String verb) {
    SqlText text = statements.get(verb);
    if (text == null) throw new AssertionError("there is no " + verb + ".sql");
    return text;
  }

  /** Runs a statement of the release and answers how many rows it answered. */
  private int rows(String verb, Map<String, ? extends @Nullable Object> values)
      throws SQLException {
    try (var statement = text(verb).prepare(connection, values);
        var rows = statement.executeQuery()) {
      int count = 0;
      while (rows.next()) count++;
      return count;
    }
  }
}
