package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.sql.Schema;
import dev.dibs.worker.WorkerSettings;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * The files that dibs is deployed by (Dockerfile, compose.yaml, Kubernetes) say only what is true
 * of this build, and fit together.
 */
class DeploymentFilesTest {
  private static final Path KUBERNETES = Path.of("src/main/kubernetes");
  private static final String NOWHERE = "jdbc:postgresql://127.0.0.1:1/none";

  /** A worker ends so long after its drain timeout at most. */
  private static final Duration LAST_STEPS = Duration.ofSeconds(10);

  private final Yaml deployment = kubernetes("deployment.yaml");
  private final Yaml job = kubernetes("migrate-job.yaml");
  private final Yaml configuration = kubernetes("configmap.yaml").at("data");
  private final Yaml compose = Yaml.read(Path.of("compose.yaml"));

  @TempDir Path directory;

  private static Yaml kubernetes(String file) {
    return Yaml.read(KUBERNETES.resolve(file));
  }

  private static Yaml pod(Yaml workload) {
    return workload.at("spec.template.spec");
  }

  private static Yaml container(Yaml workload) {
    List<Yaml> containers = pod(workload).at("containers").items();
    assertThat(containers).hasSize(1);
    return containers.getFirst();
  }

  private static String dockerfile() throws IOException {
    return Files.readString(Path.of("Dockerfile"));
  }

  @Test
  void kustomization_namesEveryFileOnce() throws IOException {
    try (Stream<Path> files = Files.list(KUBERNETES)) {
      List<String> there =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> !name.equals("kustomization.yaml"))
              .toList();
      assertThat(kubernetes("kustomization.yaml").at("resources").items().stream().map(Yaml::text))
          .containsExactlyInAnyOrderElementsOf(there);
    }
  }

  @Test
  void probes_askWhatTheAdminEndpointAnswers() throws Exception {
    Yaml container = container(deployment);
    List<Yaml> probes =
        Stream.of("startupProbe", "livenessProbe", "readinessProbe")
            .map(probe -> container.child(probe).at("httpGet"))
            .toList();
    assertThat(probes)
        .extracting(probe -> probe.at("path").text())
        .containsExactly("/health/started", "/health/live", "/health/ready");
    Yaml monitored = kubernetes("servicemonitor.yaml").at("spec.endpoints").items().getFirst();
    List<Yaml> asked = new ArrayList<>(probes);
    asked.add(monitored);
    try (AdminEndpoint admin = AdminEndpoint.listen("127.0.0.1", 0, false);
        HttpClient client = HttpClient.newHttpClient()) {
      for (Yaml place : asked) {
        String path = place.at("path").text();
        HttpRequest request = HttpRequest.newBuilder(URI.create(admin.url() + path)).build();
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(place.where() + " " + path).isIn(200, 503);
      }
    }
  }

  @Test
  void adminPort_isTheSameEverywhere() throws IOException {
    String port = configuration.at("DIBS_ADMIN_PORT").text();
    assertThat(configuration.at("DIBS_ADMIN_BIND").text()).isEqualTo("0.0.0.0");
    Yaml declared = container(deployment).at("ports").items().getFirst();
    assertThat(declared.at("containerPort").text()).isEqualTo(port);
    assertThat(dockerfile()).contains("EXPOSE " + port, "DIBS_ADMIN_PORT=" + port + " ");
    String name = declared.at("name").text();
    Yaml service = kubernetes("service.yaml").at("spec.ports").items().getFirst();
    assertThat(service.at("port").text()).isEqualTo(port);
    assertThat(service.at("targetPort").text()).isEqualTo(name);
    Yaml rule = kubernetes("networkpolicy.yaml").at("spec.ingress").items().getFirst();
    assertThat(rule.at("ports").items().getFirst().at("port").text()).isEqualTo(name);
    for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe"))
      assertThat(container(deployment).child(probe).at("httpGet.port").text()).isEqualTo(name);
    Yaml monitored = kubernetes("servicemonitor.yaml").at("spec.endpoints").items().getFirst();
    assertThat(monitored.at("port").text()).isEqualTo(service.at("name").text());
    assertThat(Files.readString(Path.of("src/main/monitoring/prometheus.yaml")))
        .contains("worker-1:" + port, "worker-2:" + port);
  }

  @Test
  void gracePeriods_coverTheWholeShutdown() {
    List<Yaml> before = container(deployment).at("lifecycle.preStop.exec.command").items();
    assertThat(before.getFirst().text()).isEqualTo("sleep");
    Duration pause = Duration.ofSeconds(before.getLast().number());
    Duration drain = DurationText.parse(configuration.at("DIBS_DRAIN_TIMEOUT").text());
    assertThat(Duration.ofSeconds(pod(deployment).at("terminationGracePeriodSeconds").number()))
        .isGreaterThanOrEqualTo(pause.plus(drain).plus(LAST_STEPS));
    assertThat(workers()).hasSize(2);
    for (Yaml worker : workers())
      assertThat(DurationText.parse(worker.at("stop_grace_period").text()))
          .isGreaterThanOrEqualTo(WorkerSettings.DEFAULT.drainTimeout().plus(LAST_STEPS));
  }

  private List<Yaml> workers() {
    return compose.at("services").children().stream()
        .filter(service -> service.where().contains("/worker-"))
        .map(DeploymentFilesTest::merged)
        .toList();
  }

  /** With what its {@code <<} brings. */
  private static Yaml merged(Yaml map) {
    Map<Object, Object> all = new TreeMap<>();
    if (map.child("<<").value() != null)
      all.putAll((Map<?, ?>) java.util.Objects.requireNonNull(merged(map.child("<<")).value()));
    if (map.value() instanceof Map<?, ?> own) all.putAll(own);
    all.remove("<<");
    return new Yaml(map.where(), all);
  }

  @Test
  void selectors_matchLabels() {
    Map<String, String> pod = deployment.at("spec.template.metadata.labels").texts();
    assertSelects(deployment.at("spec.selector.matchLabels"), pod);
    assertSelects(kubernetes("service.yaml").at("spec.selector"), pod);
    assertSelects(kubernetes("poddisruptionbudget.yaml").at("spec.selector.matchLabels"), pod);
    Yaml policy = kubernetes("networkpolicy.yaml").at("spec.podSelector.matchLabels");
    assertSelects(policy, pod);
    assertSelects(policy, job.at("spec.template.metadata.labels").texts());
    assertSelects(
        kubernetes("servicemonitor.yaml").at("spec.selector.matchLabels"),
        kubernetes("service.yaml").at("metadata.labels").texts());
    pod(deployment).at("topologySpreadConstraints").items().stream()
        .map(constraint -> constraint.at("labelSelector.matchLabels"))
        .forEach(selector -> assertSelects(selector, pod));
    assertThat(kubernetes("scaledobject.yaml").at("spec.scaleTargetRef.name").text())
        .isEqualTo(deployment.at("metadata.name").text());
  }

  private static void assertSelects(Yaml selector, Map<String, String> labels) {
    assertThat(selector.texts()).as(selector.where()).isNotEmpty();
    assertThat(labels).as(selector.where()).containsAllEntriesOf(selector.texts());
  }

  @Test
  void references_leadSomewhere() {
    String configMap = kubernetes("configmap.yaml").at("metadata.name").text();
    String account = kubernetes("serviceaccount.yaml").at("metadata.name").text();
    for (Yaml workload : List.of(deployment, job)) {
      assertThat(pod(workload).at("serviceAccountName").text()).isEqualTo(account);
      assertThat(container(workload).at("envFrom").items())
          .extracting(from -> from.at("configMapRef.name").text())
          .containsExactly(configMap);
      Set<String> volumes = new HashSet<>();
      pod(workload).at("volumes").items().forEach(volume -> volumes.add(volume.at("name").text()));
      assertThat(container(workload).at("volumeMounts").items())
          .extracting(mount -> mount.at("name").text())
          .containsExactlyInAnyOrderElementsOf(volumes);
    }
    Path password = Path.of(configuration.at("DIBS_DATABASE_PASSWORD_FILE").text());
    assertThat(container(deployment).at("volumeMounts").items())
        .extracting(mount -> Path.of(mount.at("mountPath").text()))
        .contains(password.getParent());
  }

  @Test
  void images_haveATagThatStays() throws IOException {
    List<String> images = new ArrayList<>();
    for (Yaml file : List.of(deployment, job, compose))
      file.all()
          .filter(place -> place.where().endsWith("/image"))
          .forEach(place -> images.add(place.text()));
    dockerfile().lines().filter(line -> line.startsWith("ARG BASE=")).forEach(images::add);
    assertThat(images).hasSizeGreaterThan(6);
    for (String image : images)
      assertThat(image).matches(".*:\\w[\\w.-]*").doesNotEndWith(":latest");
  }

  @Test
  void variables_areOptionsOfDibs() throws IOException {
    Set<String> known = new TreeSet<>();
    addVariables(Dibs.line(Run.shell("", new StringWriter(), new StringWriter(), Map.of())), known);
    Set<String> used = new TreeSet<>(configuration.texts().keySet());
    for (Yaml workload : List.of(deployment, job))
      container(workload)
          .at("env")
          .items()
          .forEach(variable -> used.add(variable.at("name").text()));
    compose
        .all()
        .filter(place -> place.where().endsWith("/environment"))
        .forEach(place -> used.addAll(place.texts().keySet()));
    Pattern.compile("DIBS_\\w+(?==)")
        .matcher(dockerfile())
        .results()
        .map(MatchResult::group)
        .forEach(used::add);
    used.removeIf(variable -> !variable.startsWith("DIBS_"));
    assertThat(used).hasSizeGreaterThan(6);
    assertThat(known).containsAll(used);
  }

  private static void addVariables(CommandLine command, Set<String> variables) {
    command
        .getCommandSpec()
        .options()
        .forEach(option -> variables.addAll(EnvironmentDefaults.variables(option)));
    command.getSubcommands().values().forEach(below -> addVariables(below, variables));
  }

  /** Wrong usage ends with 2; all that is wrong here is that nobody listens there. */
  @Test
  void commands_areTaken() throws IOException {
    for (Yaml workload : List.of(deployment, job))
      assertTaken(container(workload).at("args").items(), configuration.texts());
    List<Yaml> dibs =
        compose.at("services").children().stream()
            .map(DeploymentFilesTest::merged)
            .filter(service -> service.at("image").text().startsWith("dibs:"))
            .filter(service -> !service.at("entrypoint").isThere())
            .toList();
    assertThat(dibs).hasSize(3);
    for (Yaml service : dibs)
      assertTaken(service.at("command").items(), merged(service.at("environment")).texts());
  }

  private void assertTaken(List<Yaml> command, Map<String, String> variables) throws IOException {
    Map<String, String> environment = new TreeMap<>(variables);
    environment.replace("DIBS_ADMIN_PORT", "0");
    Path password = Files.writeString(directory.resolve("password"), "secret\n");
    environment.replace("DIBS_DATABASE_PASSWORD_FILE", password.toString());
    List<String> arguments = new ArrayList<>(command.stream().map(Yaml::text).toList());
    arguments.addAll(List.of("--fail-fast", "--database-url", NOWHERE));
    Run run = Run.dibs("", environment, arguments.toArray(String[]::new));
    assertThat(run.err()).as(arguments.toString()).contains("cannot be reached");
    assertThat(run.code()).isEqualTo(1);
  }

  @Test
  void pods_haveNoRights() {
    for (Yaml workload : List.of(deployment, job)) {
      Yaml pod = pod(workload);
      assertThat(pod.at("securityContext.runAsNonRoot").text()).isEqualTo("true");
      assertThat(pod.at("securityContext.runAsUser").number()).isPositive();
      assertThat(pod.at("securityContext.seccompProfile.type").text()).isEqualTo("RuntimeDefault");
      assertThat(pod.at("automountServiceAccountToken").text()).isEqualTo("false");
      // Else a Service named like one of our variables would set it.
      assertThat(pod.at("enableServiceLinks").text()).isEqualTo("false");
      Yaml security = container(workload).at("securityContext");
      assertThat(security.at("allowPrivilegeEscalation").text()).isEqualTo("false");
      assertThat(security.at("readOnlyRootFilesystem").text()).isEqualTo("true");
      assertThat(security.at("capabilities.drop").items())
          .extracting(Yaml::text)
          .containsExactly("ALL");
      assertThat(container(workload).at("resources.limits.memory").text())
          .isEqualTo(container(workload).at("resources.requests.memory").text());
    }
  }

  @Test
  void scaling_asksForMetricsThatExist() {
    var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    var database = new Database(DatabaseUrl.parse(NOWHERE), Schema.DEFAULT, "test", () -> {});
    try (var gauges =
        new QueueGauges(database, Set.of("default"), registry, Duration.ofSeconds(10))) {
      gauges.show(List.of(), Map.of());
    }
    String metrics = registry.scrape();
    List<Yaml> triggers = kubernetes("scaledobject.yaml").at("spec.triggers").items();
    assertThat(triggers).hasSize(2);
    for (Yaml trigger : triggers) {
      var series =
          Pattern.compile("(dibs_\\w+)\\{namespace=\"dibs\",(.*)}")
              .matcher(trigger.at("metadata.query").text());
      assertThat(series.find()).as(trigger.where()).isTrue();
      assertThat(metrics).contains("\n" + series.group(1) + "{" + series.group(2) + "} ");
    }
    assertThat(configuration.at("DIBS_WORKER_QUEUE").text()).startsWith("default=");
    assertThat(kubernetes("kustomization.yaml").at("namespace").text()).isEqualTo("dibs");
  }
}
