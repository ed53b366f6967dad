package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TasksCommandTest {
  private final TestDatabase database = TestDatabase.create();

  @AfterEach
  void drop() {
    database.close();
  }

  private Run tasks(String... args) {
    String[] all = Stream.concat(Stream.of("tasks"), Stream.of(args)).toArray(String[]::new);
    return Run.dibs("{\"from\":\"stdin\"}", Map.of("DIBS_DATABASE_URL", database.url()), all);
  }

  private NewTask<Json> enqueued() {
    NewTask<Json> task = Kind.json("mail").task(new Json("1")).queue("q").unique("order-7");
    try (var producer = Producer.on(database.dataSource())) {
      producer.enqueue(task);
    }
    return task;
  }

  private static void assertFailed(Run run, int code, String message) {
    assertThat(run.err()).startsWith("dibs: " + message);
    assertThat(run.out()).isEmpty();
    assertThat(run.code()).isEqualTo(code);
  }

  @Test
  void edit_changesWhatIsGiven() {
    String id = enqueued().id().toString();
    Run run = tasks("edit", id, "--payload", "-", "--delay", "1h", "--priority", "urgent");
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).isEqualToNormalizingNewlines("edited task " + id + ", it is SCHEDULED\n");
    assertThat(
            database.value(
                "select concat_ws('|', payload, priority, status, run_at > now() + interval '59 min') from dibs.task"))
        .isEqualTo("{\"from\": \"stdin\"}|1|SCHEDULED|t");
    assertThat(tasks("edit", id, "--delay", "0s").out()).contains("it is PENDING");
    assertThat(database.value("select payload ->> 'from' from dibs.task")).isEqualTo("stdin");
  }

  @Test
  void edit_leavesATaskThatRunsOrHasEnded() {
    String id = enqueued().id().toString();
    database.execute(
        "update dibs.task set status = 'PROCESSING', attempt = 1, lease = gen_random_uuid(), worker_id = gen_random_uuid()");
    assertFailed(
        tasks("edit", id, "--payload", "2"),
        1,
        "task "
            + id
            + " is PROCESSING and was left as it is: only a task that waits can be edited");
    assertThat(tasks("cancel", id, "--why", "enough").out())
        .contains("it was PROCESSING and is CANCELLED");
    assertFailed(tasks("edit", id, "--payload", "2"), 1, "task " + id + " is CANCELLED");
    assertFailed(
        tasks("cancel", id),
        1,
        "task "
            + id
            + " was left as it is: task.cancel cannot be done to a task that is CANCELLED");
    assertThat(database.value("select errors -> 0 ->> 'message' from dibs.task_history"))
        .isEqualTo("enough");
  }

  @Test
  void cancel_findsATaskByItsUniqueKey() {
    NewTask<Json> task = enqueued();
    Run run = tasks("cancel", "--unique-key", "order-7", "--queue", "q");
    assertThat(run.out())
        .isEqualToNormalizingNewlines(
            "cancelled task " + task.id() + ", it was PENDING and is CANCELLED\n");
    assertFailed(
        tasks("cancel", "--unique-key", "order-7", "--queue", "q"),
        1,
        "no task of queue 'q' holds the unique key 'order-7'");
    assertThat(database.finished("CANCELLED")).isEqualTo(1);
  }

  @Test
  void cancel_byItsIdOrItsKeyIsAuditedAlsoWhereItWasRefused() {
    String first = enqueued().id().toString();
    assertThat(tasks("cancel", first, "--why", "twice", "--by", "ana").err()).isEmpty();
    assertThat(tasks("cancel", first, "--by", "bob").code()).isEqualTo(1);
    enqueued();
    assertThat(tasks("cancel", "--unique-key", "order-7", "--queue", "q", "--by", "eve").code())
        .isZero();
    assertThat(
            database.value(
                "select string_agg(concat_ws(' ', action, actor, source, before, after, result, why), ', ' order by at) from dibs.audit"))
        .isEqualTo(
            "task.cancel ana cli PENDING.0 CANCELLED.0 done twice, "
                + "task.cancel bob cli CANCELLED.0 task.cancel cannot be done to a task that is CANCELLED refused , "
                + "task.cancel eve cli PENDING.0 CANCELLED.0 done ");
  }

  /** Both look, then one cancels: the other finds another task than it saw and leaves it. */
  @Test
  void cancel_ofATaskThatWasClaimedAfterTheLookLeavesIt() {
    var operations = dev.dibs.operations.Operations.on(database.dataSource());
    String id = enqueued().id().toString();
    var target = new TaskTarget();
    target.why = "late";
    var shell = Run.shell("", new java.io.StringWriter(), new java.io.StringWriter(), Map.of());
    org.assertj.core.api.Assertions.assertThatThrownBy(() ->
            target.one(
                shell,
                operations,
                UUID.fromString(id),
                "cancelled",
                (on, seen, request) -> {
                  database.execute(
                      "update dibs.task set status = 'PROCESSING', attempt = 1, lease = gen_random_uuid(), worker_id = gen_random_uuid()");
                  return on.cancel(seen, request);
                }))
        .hasMessageContaining("it was seen as PENDING.0 and is PROCESSING.1");
    assertThat(database.tasks("PROCESSING")).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          edit ID                               | 2 | give --payload, --delay, --run-at or --priority
          edit ID --payload {                   | 1 | a payload must be valid JSON
          edit ID --delay 1h --run-at 2030-01-01T00:00:00Z | 2 | give either --delay or --run-at
          edit ID --payload 1                   | 1 | there is no task
          edit nonsense --payload 1             | 2 | Invalid value for positional parameter
          cancel ID                             | 1 | there is no task
          cancel                                | 2 | give either the ID of a task or --unique-key
          cancel ID --unique-key k              | 2 | give either the ID of a task or --unique-key
          cancel --unique-key k --kind mail     | 2 | --unique-key goes with --queue alone
          cancel --unique-key k --error e       | 2 | --unique-key goes with --queue alone
          retry --status DEAD --queue q --delay 2h  | 2 | --delay goes with the ID of a task; give --spread
          retry --changed-by ID --status DEAD --queue q --delay 2h | 2 | --delay goes with the ID of a task
          retry ID --spread 2h                  | 2 | --spread goes with a filter; give --delay
          retry --delay 2h                      | 2 | give either the ID of a task or a filter
          """)
  void wrongInput_isSaidInOneLine(String arguments, int code, String message) {
    String[] args = arguments.replace("ID", new UUID(1, 2).toString()).split(" ");
    assertFailed(tasks(args), code, message);
  }
}
