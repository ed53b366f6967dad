package dev.dibs.app;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A real Prometheus, and its promtool. */
final class Prometheus implements AutoCloseable {
  private final HttpClient client = HttpClient.newHttpClient();
  private final Process process;
  private final Path log;
  private final String url;

  /** Starts one with the configuration {@code prometheus.yaml} in {@code directory}. */
  Prometheus(Path directory) throws IOException {
    int port = freePort();
    this.log = directory.resolve("prometheus.log");
    this.url = "http://127.0.0.1:" + port;
    this.process =
        new ProcessBuilder(
                executable("prometheus"),
                "--config.file=" + directory.resolve("prometheus.yaml"),
                "--storage.tsdb.path=" + directory.resolve("data"),
                "--web.listen-address=127.0.0.1:" + port,
                "--log.level=warn")
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
  }

  static int freePort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static String executable(String name) {
    for (String directory : List.of("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"))
      if (Files.isExecutable(Path.of(directory, name))) return directory + "/" + name;
    throw new AssertionError(
        "this test needs %s: install the package prometheus (Debian and Ubuntu: apt-get install prometheus; macOS: brew install prometheus)"
            .formatted(name));
  }

  /** What promtool says in {@code directory}; it must be content. */
  static String promtool(Path directory, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(executable("promtool")));
    command.addAll(List.of(arguments));
    Process tool =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
    String said = new String(tool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (tool.waitFor() != 0) throw new AssertionError(command + ": " + said);
    return said;
  }

  /** What it answers to the query at this moment. */
  JsonNode query(String expression) throws IOException, InterruptedException {
    return get("/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8))
        .path("data")
        .path("result");
  }

  /** The names of the alerts that fire. */
  List<String> firing() throws IOException, InterruptedException {
    List<String> names = new ArrayList<>();
    for (JsonNode alert : get("/api/v1/alerts").path("data").path("alerts"))
      if (alert.path("state").asString().equals("firing"))
        names.add(alert.path("labels").path("alertname").asString());
    return names;
  }

  /** All rules with their health. */
  List<JsonNode> rules() throws IOException, InterruptedException {
    List<JsonNode> rules = new ArrayList<>();
    for (JsonNode group : get("/api/v1/rules").path("data").path("groups"))
      group.path("rules").forEach(rules::add);
    return rules;
  }

  boolean isReady() throws InterruptedException {
    if (!process.isAlive()) throw new AssertionError("prometheus ended: " + log());
    try {
      return send("/-/ready").statusCode() == 200;
    } catch (IOException e) {
      return false;
    }
  }

  private JsonNode get(String path) throws IOException, InterruptedException {
    HttpResponse<String> answer = send(path);
    if (answer.statusCode() != 200)
      throw new AssertionError(path + " was answered " + answer.statusCode() + answer.body());
    return JsonMapper.shared().readTree(answer.body());
  }

  private HttpResponse<String> send(String path) throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(URI.create(url + path)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private String log() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      return e.toString();
    }
  }

  String url() {
    return url;
  }

  @Override
  public void close() {
    client.shutdownNow();
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
