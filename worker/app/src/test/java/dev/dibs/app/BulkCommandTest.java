package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.io.StringWriter;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class BulkCommandTest {
  private static final String WHY = "INC-204 is mended";

  private final TestDatabase database = TestDatabase.create();

  @AfterEach
  void drop() {
    database.close();
  }

  private Run dibs(String... args) {
    return Run.dibs("", Map.of("DIBS_DATABASE_URL", database.url()), args);
  }

  private void bury(int tasks) {
    database.execute(
        """
        insert into dibs.task_history (id, created_at, run_at, finished_at, status, priority, attempt, failures, losses,
          max_attempts, queue, kind, payload, headers, errors)
        select gen_random_uuid(), now(), now(), now() - n * interval '1 s', 'DEAD', 3, 7, 7, 0, 7, 'mail', 'letter',
          '"s3cr3t"', '{"tenant": "acme"}', '[{"class": "SmtpException", "message": "451 greylisted", "at": "2026-01-01T00:00:00Z", "attempt": 7}]'
        from generate_series(1, ?) n\
        """,
        tasks);
  }

  private String anyId() {
    return String.valueOf(database.value("select id from dibs.task_history limit 1"));
  }

  @Test
  void list_showsAPageAtATime() {
    bury(5);
    Run first =
        dibs(
            "tasks",
            "list",
            "--status",
            "dead",
            "--queue",
            "mail",
            "--size",
            "3",
            "--error",
            "Greylisted",
            "--header",
            "tenant=acme",
            "--since",
            "1h");
    assertThat(first.out().lines()).hasSize(4);
    assertThat(first.out()).contains("letter", "SmtpException: 451").doesNotContain("s3cr3t");
    assertThat(first.err()).contains("there are more: --after ");
    String cursor = first.err().replaceAll("(?s).*--after (\\S+).*", "$1");
    Run second =
        dibs(
            "tasks",
            "list",
            "--status",
            "DEAD",
            "--queue",
            "mail",
            "--size",
            "3",
            "--error",
            "Greylisted",
            "--header",
            "tenant=acme",
            "--since",
            "1h",
            "--after",
            cursor,
            "--json");
    assertThat(second.out().lines()).hasSize(2).allMatch(line -> line.startsWith("{\"id\":\""));
    assertThat(second.err()).isEmpty();
    assertThat(dibs("tasks", "list", "--status", "DEAD", "--kind", "other").out())
        .isEqualToNormalizingNewlines("no such tasks\n");
  }

  @Test
  void show_tellsAllButThePayload_whichIsAudited() {
    bury(1);
    Run run = dibs("tasks", "show", anyId());
    assertThat(run.out())
        .contains("status    DEAD", "attempt 7 ended", "451 greylisted")
        .doesNotContain("s3cr3t");
    assertThat(database.number("select count(*) from dibs.audit")).isZero();
    Run revealed =
        dibs("tasks", "show", anyId(), "--payload", "--why", WHY, "--by", "ana", "--json");
    assertThat(revealed.out()).contains("s3cr3t");
    assertThat(database.value("select action || ' ' || actor || ' ' || why from dibs.audit"))
        .isEqualTo("payload.reveal ana " + WHY);
  }

  @Test
  void oneTask_isRetriedMovedMadeUrgentRescheduledAndDeleted() {
    bury(1);
    String id = anyId();
    assertThat(dibs("tasks", "retry", id).out())
        .isEqualToNormalizingNewlines("retried task " + id + ", it was DEAD and is PENDING\n");
    assertThat(dibs("tasks", "move", id, "--to", "other").code()).isZero();
    assertThat(dibs("tasks", "prioritise", id, "--priority", "urgent").code()).isZero();
    assertThat(dibs("tasks", "reschedule", id, "--delay", "1h").out()).contains("is SCHEDULED");
    assertThat(database.value("select concat_ws(' ', queue, priority, status) from dibs.task"))
        .isEqualTo("other 1 SCHEDULED");
    assertThat(dibs("tasks", "delete", id, "--why", WHY).out()).contains("and is gone");
    Run again = dibs("tasks", "delete", id);
    assertThat(again.code()).isEqualTo(1);
    assertThat(again.err()).startsWith("dibs: there is no task");
  }

  @Test
  void aBulk_isShownAndDone() {
    bury(300);
    Run run =
        dibs(
            "tasks",
            "retry",
            "--status",
            "DEAD",
            "--queue",
            "mail",
            "--why",
            WHY,
            "--yes",
            "--by",
            "ana");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("retry 300 tasks that are DEAD, such as", "is DONE: 300 done")
        .doesNotContain("s3cr3t");
    assertThat(database.tasks("PENDING")).isEqualTo(300);
    String id = run.err().replaceAll("(?s).*bulk (\\S{36}).*", "$1");
    assertThat(dibs("bulk", "list").out()).contains(id, "retry", "DONE", "300 done", "ana", WHY);
    assertThat(dibs("bulk", "show", id, "--json").out())
        .contains("\"done\":300", "\"status\":\"DONE\"");
    Run undone =
        dibs(
            "tasks",
            "cancel",
            "--status",
            "PENDING",
            "--changed-by",
            id,
            "--why",
            "that was a mistake",
            "--yes");
    assertThat(undone.out()).contains("is DONE: 300 done");
    assertThat(database.finished("CANCELLED")).isEqualTo(300);
  }

  @Test
  void aBulk_asksAPersonAndNobodyElse() {
    bury(2);
    String[] args = {"tasks", "delete", "--status", "DEAD", "--queue", "mail", "--why", WHY};
    Run nobody = dibs(args);
    assertThat(nobody.code()).isEqualTo(2);
    assertThat(nobody.err()).contains("nobody can be asked here: give --yes");
    assertThat(answering("n\n", args).out())
        .endsWith("nothing was changed" + System.lineSeparator());
    assertThat(database.finished("DEAD")).isEqualTo(2);
    Run agreed = answering("y\n", args);
    assertThat(agreed.err()).contains("delete 2 tasks that are DEAD? [y/N] ");
    assertThat(agreed.code()).isZero();
    assertThat(database.finished("DEAD")).isZero();
  }

  private Run answering(String answer, String... args) {
    var out = new StringWriter();
    var err = new StringWriter();
    Shell shell = Run.shell(answer, out, err, Map.of("DIBS_DATABASE_URL", database.url()));
    var person = new Shell(shell.in(), shell.out(), shell.err(), shell.environment(), fd -> true);
    int code = Dibs.run(person, args);
    return new Run(code, out.toString(), err.toString());
  }

  @Test
  void aBulk_isInterruptedAndResumedByItsId() {
    bury(50);
    String id = UUID.randomUUID().toString();
    database.value(
        "select result from dibs.start_bulk('retry', '{\"status\": \"DEAD\", \"queue\": \"mail\"}', '{}',"
            + " dibs.freeze_bulk('retry', '{\"status\": \"DEAD\", \"queue\": \"mail\"}'), 50, 2000, ?::uuid, 'ana', 'sql', 'INC-204 is mended')",
        id);
    assertThat(dibs("bulk", "show", id).out()).contains("is RUNNING: 0 done");
    Run refused = dibs("bulk", "resume", id);
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err()).contains("is being driven");
    assertThat(dibs("bulk", "interrupt", id).out()).contains("go on with `dibs bulk resume " + id);
    assertThat(dibs("bulk", "interrupt", id).err()).contains("is STOPPED");
    assertThat(dibs("bulk", "show", id).out()).contains("dibs bulk resume");
    assertThat(dibs("bulk", "resume", id).out()).contains("is DONE: 50 done");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          tasks list                                            | 2 | give --status: SCHEDULED, BLOCKED
          tasks list --status LOST                              | 2 | --status must be one of SCHEDULED
          tasks list --status DEAD --header x                   | 2 | --header must be NAME=VALUE, was 'x'
          tasks list --status DEAD --since soon                 | 2 | --since must be like 24h
          tasks list --status DEAD --queue q --after %%%        | 2 | '%%%' is no cursor
          tasks show ID                                         | 1 | there is no task
          tasks retry                                           | 2 | give either the ID of a task or a filter
          tasks retry ID --status DEAD                          | 2 | give either the ID of a task or a filter
          tasks retry --status DEAD --yes --why 0123456789      | 2 | a bulk needs a queue, a kind or ids
          tasks retry --status PENDING --queue q --yes          | 2 | retry cannot be done to tasks that are PENDING
          tasks retry --status DEAD --queue q --yes             | 2 | give --why with at least 10 characters
          tasks retry --status DEAD --queue q --rate 0          | 2 | tasks a second must be 1 to 1000000
          tasks reschedule ID                                   | 2 | give either --delay or --run-at
          bulk show ID                                          | 1 | there is no bulk
          bulk resume ID                                        | 1 | there is no bulk
          bulk interrupt ID                                     | 1 | there is no bulk
          bulk list --size 0                                    | 2 | --size must be 1 to 1000, was 0
          """)
  void wrongInput_isSaidInOneLine(String arguments, int code, String message) {
    Run run = dibs(arguments.strip().replace("ID", new UUID(1, 2).toString()).split(" +"));
    assertThat(run.err()).startsWith("dibs: " + message);
    assertThat(run.code()).isEqualTo(code);
  }
}
