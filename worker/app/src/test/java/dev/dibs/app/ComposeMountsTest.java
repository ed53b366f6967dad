package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What compose.yaml mounts into Prometheus and Grafana lies where those look for it, and its parts
 * find each other. Neither image is needed: places and forms are those their manuals name.
 */
class ComposeMountsTest {
  private static final String PROVISIONING = "/etc/grafana/provisioning";

  @TempDir Path root;

  private final Yaml compose = Yaml.read(Path.of("compose.yaml"));

  /** What is mounted into a service, by where it is there. */
  private Map<Path, Path> mounts(String service) {
    Map<Path, Path> mounts = new TreeMap<>();
    for (Yaml volume : compose.at("services").child(service).at("volumes").items()) {
      String[] parts = volume.text().split(":", -1);
      assertThat(parts).as(volume.where()).hasSize(3).endsWith("ro");
      assertThat(Path.of(parts[0])).isRegularFile();
      mounts.put(Path.of(parts[1]), Path.of(parts[0]));
    }
    return mounts;
  }

  private static Path source(Map<Path, Path> mounts, Path there) {
    Path source = mounts.get(there);
    if (source == null) throw new AssertionError("nothing is mounted at " + there);
    return source;
  }

  private static Yaml onlyIn(Map<Path, Path> mounts, String directory) {
    List<Path> files = mounts.keySet().stream().filter(file -> file.startsWith(directory)).toList();
    assertThat(files).as(directory).hasSize(1);
    assertThat(files.getFirst().toString()).endsWith(".yaml");
    return Yaml.read(source(mounts, files.getFirst()));
  }

  /** The service of an address, which must publish its port. */
  private void assertServes(URI address) {
    Yaml service = compose.at("services").child(address.getHost());
    assertThat(service.isThere()).as(address.toString()).isTrue();
    assertThat(service.at("ports").items())
        .extracting(Yaml::text)
        .anyMatch(port -> port.endsWith(":" + address.getPort()));
  }

  @Test
  void prometheus_readsItsConfigurationAndTheRulesBesideIt() throws Exception {
    for (var mount : mounts("prometheus").entrySet()) {
      Path there = root.resolve(mount.getKey().toString().substring(1));
      Files.createDirectories(there.getParent());
      Files.copy(mount.getValue(), there);
    }
    // Where the image's command line has it.
    assertThat(Prometheus.promtool(root, "check", "config", "etc/prometheus/prometheus.yml"))
        .contains("SUCCESS: 1 rule files found")
        .contains("11 rules found");
  }

  @Test
  void prometheus_scrapesEveryWorkerWhereItIsToBeWatched() throws IOException {
    Yaml scraped =
        Yaml.read(source(mounts("prometheus"), Path.of("/etc/prometheus/prometheus.yml")))
            .at("scrape_configs")
            .items()
            .getFirst();
    List<String> workers =
        compose.at("services").texts().keySet().stream()
            .filter(name -> name.startsWith("worker-"))
            .toList();
    assertThat(workers).hasSize(2);
    String port =
        Files.readString(Path.of("Dockerfile"))
            .replaceFirst("(?s).*DIBS_ADMIN_PORT=(\\d+).*", "$1");
    assertThat(scraped.at("static_configs").items().getFirst().at("targets").items())
        .extracting(Yaml::text)
        .containsExactlyInAnyOrderElementsOf(
            workers.stream().map(name -> name + ":" + port).toList());
  }

  @Test
  void grafana_findsItsDashboardAndTheDashboardItsData() {
    Map<Path, Path> mounts = mounts("grafana");
    Yaml source =
        onlyIn(mounts, PROVISIONING + "/datasources").at("datasources").items().getFirst();
    assertServes(URI.create(source.at("url").text()));
    Yaml provider = onlyIn(mounts, PROVISIONING + "/dashboards").at("providers").items().getFirst();
    assertThat(provider.at("type").text()).isEqualTo("file");
    List<Path> dashboards =
        mounts.keySet().stream()
            .filter(file -> file.startsWith(provider.at("options.path").text()))
            .toList();
    assertThat(dashboards).hasSize(1);
    Yaml dashboard = Yaml.read(source(mounts, dashboards.getFirst()));
    Yaml chosen = dashboard.at("templating.list").items().getFirst();
    assertThat(chosen.at("type").text()).isEqualTo("datasource");
    assertThat(chosen.at("query").text()).isEqualTo(source.at("type").text());
    assertThat(dashboard.all().filter(place -> place.where().endsWith("/datasource/uid")))
        .hasSizeGreaterThan(10)
        .allMatch(uid -> uid.text().equals("${" + chosen.at("name").text() + "}"));
    assertThat(dashboard.at("uid").text()).isNotEmpty();
  }
}
