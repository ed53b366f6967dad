package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import dev.dibs.testing.TestRoles;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/** {@code dibs queues}, {@code dibs kinds} and {@code dibs workers}. */
class OperatorCommandsTest {
  private final TestDatabase database = TestDatabase.create();

  @AfterEach
  void drop() {
    database.close();
  }

  private Run dibs(String... args) {
    return Run.dibs("", Map.of("DIBS_DATABASE_URL", database.url()), args);
  }

  private static String squeezed(Run run) {
    return run.out().replaceAll(" +", " ");
  }

  @Test
  void pause_isShownKeptAndSaidToWhoComesSecond() {
    for (String what : new String[] {"queue", "kind"}) {
      String command = what + "s";
      var first = dibs(command, "pause", "mail", "--why", "INC-7", "--by", "ana");
      assertThat(first.err()).isEmpty();
      assertThat(first.out())
          .isEqualToNormalizingNewlines(
              "paused %s 'mail', 0 of its tasks still run\n".formatted(what));
      var second = dibs(command, "pause", "mail", "--why", "other", "--by", "bob");
      assertThat(second.code()).isEqualTo(1);
      assertThat(second.err())
          .isEqualToNormalizingNewlines(
              "dibs: %s 'mail' is paused by ana: INC-7; it was left so\n".formatted(what));
      assertThat(squeezed(dibs(command, "list")))
          .contains("mail 0")
          .contains("paused by ana: INC-7");
      var json = JsonMapper.shared().readTree(dibs(command, "list", "--json").out());
      assertThat(json.get("paused").get("why").asString()).isEqualTo("INC-7");
      assertThat(dibs(command, "resume", "mail", "--by", "bob").code()).isZero();
      var again = dibs(command, "resume", "mail");
      assertThat(again.code()).isEqualTo(1);
      assertThat(again.err()).contains("was not paused; `dibs %s list`".formatted(command));
    }
    assertThat(
            database.value(
                "select string_agg(action || ' ' || actor || ' ' || source || ' ' || result, ', ' order by at) from dibs.audit where action like 'queue%' and actor in ('ana', 'bob')"))
        .isEqualTo(
            "queue.pause ana cli done, queue.pause bob cli stale, queue.resume bob cli done");
  }

  @Test
  void pause_refusesWhatMakesNoSense() {
    var noReason = dibs("queues", "pause", "mail");
    assertThat(noReason.code()).isEqualTo(2);
    assertThat(noReason.err()).contains("--why");
    var noName = dibs("kinds", "pause", "x".repeat(129), "--why", "w");
    assertThat(noName.code()).isEqualTo(2);
    assertThat(noName.err())
        .contains("a kind name must have 1 to 128 characters")
        .doesNotContain("\tat ");
    var noActor = dibs("queues", "pause", "mail", "--why", "w", "--by", "a\u0001b");
    assertThat(noActor.code()).isEqualTo(2);
    assertThat(noActor.err()).contains("actor must not hold control characters");
  }

  @Test
  void retain_changesWhatIsGivenAndLeavesTheRest() {
    assertThat(dibs("queues", "retain", "mail", "--succeeded", "0s", "--why", "disk").err())
        .isEmpty();
    assertThat(dibs("queues", "retain", "mail", "--dead", "30d", "--why", "law").code()).isZero();
    assertThat(squeezed(dibs("queues", "list"))).contains("mail 0 not kept 30d 0h 7d 0h running");
    var nothing = dibs("queues", "retain", "mail", "--why", "x");
    assertThat(nothing.code()).isEqualTo(2);
    assertThat(nothing.err()).contains("nothing is to be changed");
    assertThat(dibs("queues", "retain", "mail", "--dead", "-PT1S", "--why", "x").code())
        .isEqualTo(2);
  }

  @Test
  void workers_areListedAndAskedToDrain() {
    String id =
        String.valueOf(database.value("select dibs.register('box', 4711, '{mail}', '{k}', 3)"));
    database.execute("update dibs.worker set lease_until = now() + interval '1 hour'");
    var drained = dibs("workers", "drain", id, "--why", "new kernel", "--by", "ana");
    assertThat(drained.out())
        .isEqualToNormalizingNewlines("asked worker %s to drain, it has 0 tasks\n".formatted(id));
    assertThat(squeezed(dibs("workers", "list")))
        .contains(id + " box 4711 0/3 LIVE mail by ana: new kernel");
    assertThat(
            JsonMapper.shared()
                .readTree(dibs("workers", "list", "--json").out())
                .get("drain")
                .get("by")
                .asString())
        .isEqualTo("ana");
    assertThat(database.value("select dibs.heartbeat(?::uuid)", id)).isEqualTo("t");
    assertThat(squeezed(dibs("workers", "list"))).contains("DRAINING");
    assertThat(dibs("workers", "undrain", id).code()).isZero();
    var missing = dibs("workers", "drain", new java.util.UUID(0, 1).toString(), "--why", "x");
    assertThat(missing.code()).isEqualTo(1);
    assertThat(missing.err()).contains("there is no worker");
  }

  /** What looks and changes nothing needs the viewer's rights and no more. */
  @Test
  void viewer_seesStatusQueuesKindsAndWorkers() {
    try (var roles = new TestRoles()) {
      String schema = roles.schema().name();
      roles.db().value("select %s.enqueue('mail')".formatted(schema));
      Map<String, String> viewer =
          Map.of(
              "DIBS_DATABASE_URL", roles.db().url(),
              "DIBS_DATABASE_USER", roles.userName("viewer"),
              "DIBS_DATABASE_PASSWORD", roles.password(),
              "DIBS_SCHEMA", schema);
      for (String[] args :
          new String[][] {{"status"}, {"queues", "list"}, {"kinds", "list"}, {"workers", "list"}}) {
        var run = Run.dibs("", viewer, args);
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
      }
      var pause = Run.dibs("", viewer, "queues", "pause", "mail", "--why", "x");
      assertThat(pause.code()).isEqualTo(1);
      assertThat(pause.err()).contains("permission denied");
    }
  }
}
