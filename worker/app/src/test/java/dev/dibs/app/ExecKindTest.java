package dev.dibs.app;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

@Timeout(60)
class ExecKindTest {
  @TempDir Path directory;
  private TestWorker worker;

  @BeforeEach
  void start() {
    var options = new HandlerOptions();
    options.execAllow = List.of("/bin/sh", "/bin/cat", "/no/such/program");
    worker = new TestWorker(options);
  }

  @AfterEach
  void stop() {
    worker.close();
  }

  private static String payload(String script, String more) {
    return "{\"command\":[\"/bin/sh\",\"-c\","
        + JsonMapper.shared().writeValueAsString(script)
        + "]"
        + more
        + "}";
  }

  private UUID sh(String script) {
    return worker.enqueue("exec", payload(script, ",\"stdin\":\"\""));
  }

  private String written(String file) throws IOException {
    return Files.readString(directory.resolve(file));
  }

  /** Not one that has ended and waits for its parent to notice: that has no command any more. */
  private boolean isAlive(String pidFile) throws IOException {
    return ProcessHandle.of(Long.parseLong(written(pidFile).strip()))
        .flatMap(process -> process.info().command())
        .isPresent();
  }

  @Test
  void exec_runsAnAllowedCommand() throws Exception {
    worker.assertSucceeds(sh("printf '%s' \"$0 $DIBS_ATTEMPT\" > " + directory + "/out"));
    assertThat(written("out")).isEqualTo("/bin/sh 1");
  }

  @Test
  void exec_givesStdinOrElseThePayload() throws Exception {
    worker.assertSucceeds(
        worker.enqueue("exec", payload("cat > " + directory + "/text", ",\"stdin\":\"a\\nb\"")));
    assertThat(written("text")).isEqualTo("a\nb");
    worker.assertSucceeds(
        worker.enqueue("exec", payload("cat > " + directory + "/whole", ",\"id\":7")));
    assertThat(JsonMapper.shared().readTree(written("whole")).get("id").asInt()).isEqualTo(7);
  }

  @Test
  void exec_hidesTheWorkersEnvironment() throws Exception {
    UUID id = sh("env > " + directory + "/env");
    worker.assertSucceeds(id);
    assertThat(written("env").lines().map(line -> line.replaceFirst("=.*", "")))
        .contains("DIBS_TASK_ID", "DIBS_ATTEMPT", "PATH")
        .isSubsetOf(
            "DIBS_TASK_ID", "DIBS_ATTEMPT", "PATH", "HOME", "LANG", "PWD", "SHLVL", "_", "OLDPWD");
    assertThat(written("env")).contains("DIBS_TASK_ID=" + id);
  }

  @Test
  void exec_refusesEverythingElse() {
    for (String command :
        List.of(
            "[\"/bin/echo\"]", "[\"sh\"]", "[\"/bin/../bin/sh\"]", "[\"/bin/sh \"]", "[\"\"]")) {
      assertThat(worker.deathOf(worker.enqueue("exec", "{\"command\":" + command + "}")))
          .as(command)
          .contains("no --exec-allow");
    }
    assertThat(worker.deathOf(worker.enqueue("exec", "{}"))).contains("has no command");
    assertThat(worker.deathOf(worker.enqueue("exec", "{\"command\":\"/bin/sh\"}")))
        .contains("array of strings");
    assertThatThrownBy(() -> new ExecKind(List.of("sh")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("'sh'");
  }

  @Test
  void exec_tellsFailuresByTheExitCode() {
    UUID failed = sh("echo reason >&2; exit 3");
    assertThat(worker.failureOf(failed)).isEqualTo("/bin/sh ended with exit code 3: reason");
    assertThat(worker.failureOf(sh("kill -9 $$"))).contains("exit code 137");
    UUID notNow = sh("exit 75");
    worker.awaitWaiting(notNow);
    assertThat(worker.seconds(notNow)).isBetween(40.0, 60.0);
    assertThat(worker.db().number("select failures from dibs.task where id = ?", notNow)).isZero();
    assertThat(worker.failureOf(worker.enqueue("exec", "{\"command\":[\"/no/such/program\"]}")))
        .contains("Cannot run program");
  }

  @Test
  void exec_keepsTheEndOfStderr() {
    UUID id = sh("i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1");
    assertThat(worker.failureOf(id)).endsWith("line 19999").hasSizeBetween(2_000, 2_200);
  }

  @Test
  void exec_survivesOutputBeforeInputAndInputThatIsNeverRead() {
    String much = "\"" + "x".repeat(200_000) + "\"";
    String loud = "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; cat > /dev/null";
    worker.assertSucceeds(worker.enqueue("exec", payload(loud, ",\"stdin\":" + much)));
    worker.assertSucceeds(
        worker.enqueue("exec", payload("exec <&-; exit 0", ",\"stdin\":" + much)));
    worker.assertSucceeds(worker.enqueue("exec", payload("exit 0", ",\"stdin\":" + much)));
  }

  @Test
  void exec_doesNotWaitForWhatTheProgramLeavesBehind() throws Exception {
    UUID id = sh("sleep 30 & echo $! > " + directory + "/pid; echo words >&2; exit 4");
    assertThat(worker.failureOf(id)).endsWith("exit code 4: words");
    ProcessHandle.of(Long.parseLong(written("pid").strip()))
        .ifPresent(ProcessHandle::destroyForcibly);
  }

  @Test
  void exec_killsTheWholeTreeAtTheTasksTimeout() throws Exception {
    String script =
        "trap '' TERM; (trap '' TERM; echo $$ > %1$s/parent; sh -c 'echo $$ > %1$s/child; exec sleep 50'; sleep 50) & wait; wait"
            .formatted(directory);
    UUID id =
        worker.enqueue(
            "exec", payload(script, ""), task -> task.timeout(ofSeconds(3)).maxAttempts(1));
    assertThat(worker.deathOf(id)).startsWith("timed out after");
    await().atMost(ofSeconds(20)).until(() -> !isAlive("parent") && !isAlive("child"));
  }

  @Test
  void exec_isKilledBeforeTheWorkerHasStopped() throws Exception {
    UUID id = sh("trap '' TERM; echo $$ > " + directory + "/pid; while :; do sleep 1; done");
    await()
        .atMost(ofSeconds(20))
        .until(() -> Files.exists(directory.resolve("pid")) && !written("pid").isBlank());
    worker.stop();
    assertThat(isAlive("pid")).isFalse();
    assertThat(worker.status(id)).isEqualTo("PENDING");
  }
}
