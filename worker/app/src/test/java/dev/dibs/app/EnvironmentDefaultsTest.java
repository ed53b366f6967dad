package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.io.StringWriter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

class EnvironmentDefaultsTest {
  private final TestDatabase database = TestDatabase.create();

  @AfterEach
  void drop() {
    database.close();
  }

  /** A command in an environment with the database and what else is given. */
  private Run dibs(Map<String, String> variables, String... args) {
    Map<String, String> environment = new HashMap<>(variables);
    environment.put("DIBS_DATABASE_URL", database.url());
    return Run.dibs("", environment, args);
  }

  /** As in a container whose variables are for the worker that it runs. */
  @Test
  void variables_ofAWorkerDoNotMisleadTheOtherCommands() {
    for (String name : List.of("DIBS_QUEUE", "DIBS_WORKER_QUEUE")) {
      var variables = Map.of(name, "default=20,mail=5");
      assertThat(dibs(variables, "enqueue", "--kind", "noop", "--any-kind").code()).isZero();
      assertThat(database.value("select queue from dibs.task")).isEqualTo("default");
      String id = String.valueOf(database.value("select id from dibs.task"));
      assertThat(dibs(variables, "tasks", "list", "--status", "PENDING").out()).contains(id);
      Run cancel = dibs(variables, "tasks", "cancel", id);
      assertThat(cancel.err()).isEmpty();
      assertThat(cancel.out()).contains("is CANCELLED");
    }
    assertThat(dibs(Map.of("DIBS_CONNECTIONS", "200"), "doctor").err()).isEmpty();
  }

  @Test
  void variable_ofACommandReachesThatCommandAlone() {
    var variables = Map.of("DIBS_ENQUEUE_QUEUE", "mail", "DIBS_TASKS_LIST_STATUS", "PENDING");
    assertThat(dibs(variables, "enqueue", "--kind", "noop", "--any-kind").code()).isZero();
    assertThat(database.value("select queue from dibs.task")).isEqualTo("mail");
    assertThat(dibs(variables, "tasks", "list").out()).contains("noop", "mail");
    assertThat(dibs(variables, "tasks", "delete").code()).isEqualTo(2);
  }

  @Test
  void variable_ofWhatMeansTheSameToAllReachesAll() {
    var variables = Map.of("DIBS_BY", "ana", "DIBS_JSON", "true");
    assertThat(dibs(variables, "enqueue", "--kind", "noop", "--any-kind").out()).startsWith("{");
    assertThat(dibs(variables, "queues", "pause", "default", "--why", "x").out()).startsWith("{");
    assertThat(database.value("select actor from dibs.audit")).isEqualTo("ana");
  }

  @Test
  void variable_withTheNameOfTheCommandCountsMore() {
    var variables = Map.of("DIBS_QUEUE", "default=1", "DIBS_WORKER_QUEUE", "nonsense");
    Run run = dibs(variables, "worker", "--fail-fast");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("--queue", "nonsense");
  }

  @Test
  void help_namesTheVariableThatIsHeard() {
    Shell shell = Run.shell("", new StringWriter(), new StringWriter(), Map.of());
    assertThat(options(Dibs.line(shell)))
        .hasSizeGreaterThan(100)
        .allSatisfy(option -> {
          String named = option.description()[option.description().length - 1];
          String variable = named.replaceFirst("(?s).*\\b(DIBS_[A-Z_]+)\\)$", "$1");
          assertThat(new EnvironmentDefaults(Map.of(variable, "x")).defaultValue(option))
              .as(option.command().qualifiedName() + " " + option.longestName() + ": " + variable)
              .isEqualTo("x");
        });
  }

  private static Stream<OptionSpec> options(CommandLine command) {
    return Stream.concat(
        command.getCommandSpec().options().stream()
            .filter(option -> !option.usageHelp() && !option.versionHelp()),
        command.getSubcommands().values().stream().flatMap(EnvironmentDefaultsTest::options));
  }
}
