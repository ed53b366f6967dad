package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

class ExplainCommandTest {
  private final TestDatabase database = TestDatabase.create();

  @AfterEach
  void drop() {
    database.close();
  }

  private String enqueued() {
    return String.valueOf(database.value("select dibs.enqueue('send', queue => 'mail')"));
  }

  private Run explain(String... args) {
    String[] all = new String[args.length + 3];
    all[0] = "explain";
    all[1] = "--database-url";
    all[2] = database.url();
    System.arraycopy(args, 0, all, 3, args.length);
    return Run.dibs(all);
  }

  @Test
  void explain_tellsReasonsAndWhatToDo() {
    String id = enqueued();
    Run run = explain(id);
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    assertThat(run.out().replaceAll(" +", " "))
        .startsWith("task " + id + "\nok due for ")
        .contains(
            "BLOCKS no live worker serves queue 'mail'\n -> start a worker for the queue",
            "ok first of its lane");
  }

  @Test
  void json_isOneObject() {
    var root = JsonMapper.shared().readTree(explain("--json", enqueued()).out());
    assertThat(root.get("known").asBoolean()).isTrue();
    var reason = root.get("reasons").get(3);
    assertThat(reason.get("code").asString()).isEqualTo("no-worker");
    assertThat(reason.get("effect").asString()).isEqualTo("blocking");
    assertThat(reason.get("details").get("serving").asInt()).isZero();
    assertThat(reason.get("cure").asString()).contains("dibs worker");
  }

  @Test
  void aTaskThatWasNeverHeardOf_isExplainedAndTheExitCodeIsOne() {
    Run run = explain(new UUID(1, 2).toString());
    assertThat(run.out()).contains("there is no task of this id", "-> compare the id");
    assertThat(run.code()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"7", "1-1-1-1-1", "0198c0de-5a3c-7b1e-9f00-3c2f1d5e7a9g"})
  void whatIsNoId_isRefused(String id) {
    Run run = explain(id);
    assertThat(run.err())
        .contains("an id must be like 0198c0de-5a3c-7b1e-9f00-3c2f1d5e7a90, was '" + id + "'")
        .hasLineCount(1);
    assertThat(run.code()).isEqualTo(2);
  }
}
