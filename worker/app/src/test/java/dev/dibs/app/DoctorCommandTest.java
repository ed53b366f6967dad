package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

class DoctorCommandTest {
  private final TestDatabase database = TestDatabase.create();

  @AfterEach
  void drop() {
    database.close();
  }

  private Run doctor(String... args) {
    String[] all = new String[args.length + 3];
    all[0] = "doctor";
    all[1] = "--database-url";
    all[2] = database.url();
    System.arraycopy(args, 0, all, 3, args.length);
    return Run.dibs(all);
  }

  /** The queue's name would ring the terminal's bell. */
  @Test
  void findings_comeFirstEachWithWhatToDo() {
    database.execute(
        "insert into dibs.task (id, queue, kind, run_at) values (gen_random_uuid(), E'ma\\u0007il', 'k', now() - interval '1 hour')");
    Run run = doctor();
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out().lines().findFirst().orElseThrow())
        .matches("FINDING +CHECK +WHAT, AND WHAT TO DO");
    assertThat(run.out().replaceAll(" +", " "))
        .contains(
            "ATTENTION unserved-queues tasks wait in a queue that no live worker serves: 'ma\uFFFDil' for 1 h 0 min\n -> start a worker for it",
            "NOTE workers no worker is alive\n -> start one: `dibs worker`\n")
        .matches("(?s).*ATTENTION.*NOTE.*\\d\\d healthy\n");
  }

  @Test
  void json_tellsWhatIsHealthyToo() {
    database.execute("alter table dibs.task set (autovacuum_enabled = off)");
    Run run = doctor("--json", "--overdue", "1h");
    var root = JsonMapper.shared().readTree(run.out());
    assertThat(run.code()).isEqualTo(1);
    assertThat(root.get("attention").asInt()).isPositive();
    assertThat(root.get("ok").asInt()).isGreaterThan(15);
    assertThat(root.get("findings").valueStream())
        .hasSize(
            root.get("attention").asInt()
                + root.get("note").asInt()
                + root.get("unknown").asInt()
                + root.get("ok").asInt())
        .anySatisfy(finding -> {
          assertThat(finding.get("check").asString()).isEqualTo("autovacuum");
          assertThat(finding.get("severity").asString()).isEqualTo("ATTENTION");
          assertThat(finding.get("cure").asString()).startsWith("alter table");
        });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --overdue=soon     | a duration must be like 250ms, 30s, 5m, 2h, 1d or PT5M, was 'soon'
          --connections=101  | connections must be 1 to 100 percent
          --dead-rows=-1     | must not be negative
          --dead-rows=many   | Invalid value for option '--dead-rows'
          surplus            | unexpected argument 'surplus'
          """)
  void wrongInput_isSaidInOneLine(String argument, String message) {
    Run run = doctor(argument);
    assertThat(run.err()).startsWith("dibs: ").contains(message).hasLineCount(1);
    assertThat(run.code()).isEqualTo(2);
  }
}
