package dev.dibs.producer;

import static dev.dibs.Landing.ALREADY_THERE;
import static dev.dibs.Landing.INSERTED;
import static dev.dibs.Landing.KEPT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.DatabaseException;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Rhythm;
import dev.dibs.Schedule;
import dev.dibs.Unique;
import dev.dibs.testing.TestRoles;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * What a user may do by his rights. That one who may only enqueue gets the same answers is shown by
 * this module's tests, which the build runs as a member of the producer role too.
 */
@Timeout(60)
class NarrowRightsTest {
  private final TestRoles roles = new TestRoles();
  private final String schema = roles.schema().name();
  private final ProducerSettings settings = ProducerSettings.DEFAULT.withSchema(roles.schema());
  private final List<String> asked = new CopyOnWriteArrayList<>();

  @AfterEach
  void drop() {
    roles.close();
  }

  private static NewTask<Json> task() {
    return Kind.json("k").task(new Json("{\"card\": \"s3cr3t\"}")).queue("q");
  }

  private static List<NewTask<Json>> tasks(int count) {
    return IntStream.range(0, count).mapToObj(n -> task()).toList();
  }

  private long there() {
    return roles.db().number("select count(*) from %s.task".formatted(schema));
  }

  /** A data source that notes each statement that is prepared. */
  private DataSource noting(DataSource real) {
    PGSimpleDataSource known = (PGSimpleDataSource) real;
    var dataSource =
        new PGSimpleDataSource() {
          @Override
          public Connection getConnection() throws SQLException {
            Connection connection = super.getConnection();
            return (Connection)
                Proxy.newProxyInstance(
                    NarrowRightsTest.class.getClassLoader(),
                    new Class<?>[] {Connection.class},
                    (proxy, method, arguments) -> {
                      try {
                        Object answer = method.invoke(connection, arguments);
                        if (answer instanceof PreparedStatement)
                          asked.add(String.valueOf(arguments[0]));
                        return answer;
                      } catch (InvocationTargetException e) {
                        throw e.getCause() == null ? e : e.getCause();
                      }
                    });
          }
        };
    dataSource.setUrl(known.getUrl());
    dataSource.setUser(known.getUser());
    dataSource.setPassword(known.getPassword());
    return dataSource;
  }

  private long asked(String what) {
    return asked.stream().filter(sql -> sql.contains(what)).count();
  }

  @Test
  void whoMayOnlyEnqueue_isAskedOnceAndCallsTheFunction() throws SQLException {
    DataSource user = noting(roles.user("producer"));
    try (Producer producer = Producer.on(user, settings);
        Connection connection = user.getConnection()) {
      connection.setAutoCommit(false);
      NewTask<Json> first = task().unique("a");
      assertThat(producer.enqueue(first).landing()).isEqualTo(INSERTED);
      assertThat(producer.enqueue(task().unique("a"))).isEqualTo(new Enqueued(first.id(), KEPT));
      producer.enqueue(connection, tasks(1_500));
      connection.rollback();
      producer.enqueue(connection, tasks(1_500));
      connection.commit();
      assertThat(there()).isEqualTo(1_501);
    }
    assertThat(asked("has_any_column_privilege")).isEqualTo(1);
    assertThat(asked("enqueue_rows(")).isEqualTo(6);
    assertThat(asked("insert into")).isZero();
  }

  @Test
  void whoMayInsert_isAskedOnceAndInserts() {
    try (Producer producer = Producer.on(noting(roles.user("worker")), settings)) {
      for (int i = 0; i < 5; i++) producer.enqueue(task());
      producer.enqueue(tasks(1_500));
    }
    assertThat(asked("has_any_column_privilege")).isEqualTo(1);
    assertThat(asked("enqueue_rows(")).isZero();
    assertThat(asked("insert into")).isEqualTo(5);
    assertThat(there()).isEqualTo(1_505);
  }

  /** The caller's connection may be another user's than the data source's. */
  @Test
  void eachUser_hasHisOwnWayIn() throws SQLException {
    try (Producer producer = Producer.on(roles.user("worker"), settings);
        Connection narrow = roles.connectAs("producer")) {
      producer.enqueue(task());
      producer.enqueue(narrow, task());
      producer.enqueue(task());
    }
    assertThat(there()).isEqualTo(3);
  }

  @Test
  void whoMayNeither_isToldWhatToBeGranted() throws SQLException {
    try (Producer producer = Producer.on(roles.user("viewer"), settings);
        Connection connection = roles.connectAs("viewer")) {
      assertThatThrownBy(() -> producer.enqueue(task()))
          .isExactlyInstanceOf(DatabaseException.class)
          .hasMessageContaining("1 task(s) could not be enqueued")
          .hasMessageContaining("may neither insert into %s.task nor call".formatted(schema))
          .hasMessageContaining("grant him %s_producer".formatted(schema));
      connection.setAutoCommit(false);
      connection.createStatement().execute("select 1");
      assertThatThrownBy(() -> producer.enqueue(connection, task()))
          .hasMessageContaining("dibs migrate --roles");
      connection.createStatement().execute("select 1");
    }
  }

  /** Rights may be taken while a producer is open. */
  @ParameterizedTest
  @ValueSource(ints = {1, 1_500})
  void rightsThatWereTaken_areSeenAfterOneRefusal(int count) {
    String user = roles.userName("worker");
    var dataSource = new PGSimpleDataSource();
    dataSource.setUrl(roles.db().url());
    dataSource.setUser(user);
    dataSource.setPassword(roles.password());
    try (Producer producer = Producer.on(dataSource, settings)) {
      producer.enqueue(task());
      roles.db().execute("revoke %s_worker from %s".formatted(schema, user));
      roles.db().execute("grant %s_producer to %s".formatted(schema, user));
      assertThatThrownBy(() -> producer.enqueue(tasks(count)))
          .hasMessageContaining("permission denied for table task");
      assertThat(producer.enqueue(tasks(count))).allMatch(Enqueued::inserted);
    }
    assertThat(there()).isEqualTo(1 + count);
  }

  @Test
  void whoMayOnlyEnqueue_neitherCancelsNorEditsNorSchedules() throws SQLException {
    DataSource user = roles.user("producer");
    NewTask<Json> task = task().unique("a");
    Canceller canceller = Canceller.on(user, roles.schema());
    Editor editor = Editor.on(user, settings);
    Schedules schedules = Schedules.on(user, settings);
    try (Producer producer = Producer.on(user, settings);
        Connection connection = user.getConnection()) {
      producer.enqueue(task);
      String[] what = {
        "cancelling", "cancelling", "cancelling", "editing", "editing", "scheduling"
      };
      List<Runnable> calls =
          List.of(
              () -> canceller.cancel(task.id(), "why"),
              () -> canceller.cancelUnique("q", "a", "why"),
              () -> canceller.cancel(connection, task.id(), "why"),
              () -> editor.edit(task.id(), Edit.NONE.now()),
              () -> editor.edit(connection, task.id(), Edit.payload(new Json("1"))),
              () ->
                  schedules.add(Schedule.of("hourly", Rhythm.every(Duration.ofHours(1)), task())));
      for (int i = 0; i < what.length; i++)
        assertThatThrownBy(calls.get(i)::run)
            .isInstanceOf(DatabaseException.class)
            .hasMessageContaining(
                "may not, %s takes a member of %s_worker; a producer may only enqueue"
                    .formatted(what[i], schema))
            .hasMessageNotContaining("s3cr3t");
    }
    assertThat(there()).isEqualTo(1);
  }

  /**
   * The answer of a first call was lost, and its task has ended: to find that out takes no right to
   * read. Where another queue has a task of that id, it is left alone.
   */
  @Test
  void anEnqueueThatIsRepeated_takesBackItsOwnAndNobodyElses() throws SQLException {
    UUID id = UUID.randomUUID();
    UUID theirs = UUID.randomUUID();
    for (UUID ended : List.of(id, theirs))
      roles
          .db()
          .execute(
              """
              insert into %s.task_history (id, created_at, run_at, status, priority, attempt, failures, losses, max_attempts, queue, kind, payload)
              values (?, now(), now(), 'SUCCEEDED', 3, 1, 0, 0, 25, 'q', 'k', '1')\
              """
                  .formatted(schema),
              ended);
    roles
        .db()
        .execute(
            "insert into %s.task (id, kind, queue) values (?, 'k', 'theirs')".formatted(schema),
            theirs);
    try (Connection narrow = roles.connectAs("producer")) {
      assertThat(enqueueRow(narrow, id, true)).isEqualTo(ALREADY_THERE.name());
      assertThat(enqueueRow(narrow, id, false)).isEqualTo(INSERTED.name());
      assertThatThrownBy(() -> enqueueRow(narrow, theirs, true))
          .hasMessageContaining("names a task of queue 'theirs' already");
    }
    assertThat(
            roles
                .db()
                .value(
                    "select string_agg(queue, ',' order by queue) from %s.task".formatted(schema)))
        .isEqualTo("q,theirs");
  }

  private String enqueueRow(Connection narrow, UUID id, boolean again) throws SQLException {
    try (var statement = narrow.createStatement();
        var rows =
            statement.executeQuery(
                "select landing from %s.enqueue_rows('{%s}', '{q}', '{k}', null, null, '{1}', null, null, null, null, null, null, null, null, %s)"
                    .formatted(schema, id, again))) {
      rows.next();
      return rows.getString(1);
    }
  }

  @Test
  void aWindow_holdsForWhoMayOnlyEnqueueToo() {
    Unique unique = Unique.by("a").forAtLeast(Duration.ofHours(1));
    NewTask<Json> first = task().unique(unique);
    try (Producer narrow = Producer.on(roles.user("producer"), settings);
        Producer wide = Producer.on(roles.user("worker"), settings)) {
      assertThat(narrow.enqueue(first).landing()).isEqualTo(INSERTED);
      roles.db().execute("delete from %s.task".formatted(schema));
      for (Producer producer : List.of(narrow, wide))
        assertThat(producer.enqueue(task().unique(unique)))
            .isEqualTo(new Enqueued(first.id(), KEPT));
      roles.db().execute("update %s.unique_window set until = now()".formatted(schema));
      assertThat(narrow.enqueue(task().unique(unique)).landing()).isEqualTo(INSERTED);
    }
    assertThat(there()).isEqualTo(1);
  }
}
