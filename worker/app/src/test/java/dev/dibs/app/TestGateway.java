package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.sql.Schema;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A gateway and a client; whatever it answers must be in its description. */
final class TestGateway implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.shared();
  static final JsonNode DESCRIPTION = description();

  /** What came back. */
  record Answer(int status, String body, HttpResponse<String> response) {
    JsonNode json() {
      return JSON.readTree(body);
    }

    List<JsonNode> lines() {
      return body.lines().map(JSON::readTree).toList();
    }

    String id() {
      return json().path("id").stringValue();
    }

    String problem() {
      assertThat(header("Content-Type")).contains("application/problem+json");
      assertThat(json().path("status").intValue()).isEqualTo(status);
      return json().path("type").stringValue().replace("urn:dibs:problem:", "");
    }

    String detail() {
      return json().path("detail").stringValue();
    }

    Optional<String> header(String name) {
      return response.headers().firstValue(name);
    }
  }

  private final Gateway gateway;
  private final HttpClient client = HttpClient.newHttpClient();

  TestGateway(String url) {
    this(url, GatewaySettings.DEFAULT, Tokens.none());
  }

  TestGateway(String url, GatewaySettings settings, Tokens tokens) {
    var database = new Database(DatabaseUrl.parse(url), Schema.DEFAULT, "gateway", () -> {});
    gateway =
        Gateway.listen(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), database, settings, tokens);
  }

  private static JsonNode description() {
    try (InputStream in = Gateway.class.getResourceAsStream("openapi.json")) {
      return JSON.readTree(
          new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Answer post(String task, String... headers) {
    return post(BodyPublishers.ofString(task), "application/json", headers);
  }

  Answer postLines(String lines, String... headers) {
    return post(BodyPublishers.ofString(lines), "application/x-ndjson", headers);
  }

  Answer post(BodyPublisher body, String type, String... headers) {
    var request = request("/v1/tasks").POST(body);
    if (!type.isEmpty()) request.header("Content-Type", type);
    if (headers.length > 0) request.headers(headers);
    return send(request);
  }

  Answer get(String path) {
    return send(request(path).GET());
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(gateway.url() + path));
  }

  Answer send(HttpRequest.Builder builder) {
    HttpRequest request = builder.build();
    try {
      HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
      checkDescribed(request.method(), request.uri().getPath(), response.statusCode());
      return new Answer(response.statusCode(), response.body(), response);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static void checkDescribed(String method, String path, int status) {
    JsonNode known = DESCRIPTION.path("paths").path(path);
    if (known.isMissingNode()) {
      assertThat(status).isIn(404, 431);
      return;
    }
    String read = method.equals("HEAD") ? "get" : method.toLowerCase(Locale.ROOT);
    JsonNode described = status == 405 ? known.iterator().next() : known.path(read);
    assertThat(described.path("responses").has(Integer.toString(status)))
        .as("%s %s %d is described", method, path, status)
        .isTrue();
  }

  /** What is answered to bytes that no client would send. */
  String raw(String head) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(head.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().flush();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  int port() {
    return URI.create(gateway.url()).getPort();
  }

  Gateway gateway() {
    return gateway;
  }

  @Override
  public void close() {
    gateway.close();
    client.close();
  }
}
