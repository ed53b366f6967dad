package dev.dibs.app;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.testing.TestDatabase;
import dev.dibs.worker.Worker;
import dev.dibs.worker.WorkerSettings;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Timeout(60)
class HealthReportTest {
  /** Between a worker and its database; later everything goes in and nothing comes out. */
  private static final class BlackHole implements AutoCloseable {
    private final ServerSocket entry = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();
    private final URI server;
    private volatile boolean open;

    BlackHole(String url) throws IOException {
      this.server = URI.create(url.substring("jdbc:".length()));
      Thread.ofVirtual().start(this::accept);
    }

    String url(String url) {
      return url.replaceFirst("//[^/]*/", "//127.0.0.1:" + entry.getLocalPort() + "/");
    }

    void swallow() {
      open = true;
    }

    private void accept() {
      try {
        while (true) {
          Socket here = entry.accept();
          Socket there = new Socket(server.getHost(), server.getPort());
          sockets.add(here);
          sockets.add(there);
          Thread.ofVirtual().start(() -> pump(here, there));
          Thread.ofVirtual().start(() -> pump(there, here));
        }
      } catch (IOException e) {
        // closed
      }
    }

    private void pump(Socket from, Socket to) {
      try (from;
          to) {
        InputStream in = from.getInputStream();
        byte[] bytes = new byte[8192];
        for (int n = in.read(bytes); n >= 0; n = in.read(bytes))
          if (!open) to.getOutputStream().write(bytes, 0, n);
      } catch (IOException e) {
        // the other end is gone
      }
    }

    @Override
    public void close() throws IOException {
      entry.close();
      for (Socket socket : sockets) socket.close();
    }
  }

  private final HttpClient client = HttpClient.newHttpClient();
  private final AdminEndpoint admin = AdminEndpoint.listen("127.0.0.1", 0, true);
  private final TestDatabase db = TestDatabase.create();

  @AfterEach
  void close() {
    admin.close();
    client.shutdownNow();
    db.close();
  }

  private HttpResponse<String> ask(String path) throws IOException, InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create(admin.url() + path)).timeout(ofSeconds(10)).build();
    return client.send(request, HttpResponse.BodyHandlers.ofString());
  }

  private JsonNode health() throws IOException, InterruptedException {
    return JsonMapper.shared().readTree(ask("/health").body());
  }

  private Worker start(String url, Duration lease) {
    var source = new PGSimpleDataSource();
    source.setUrl(url);
    return Worker.on(source)
        .queue("default", 2)
        .handle(Kind.json("noop"), (payload, task) -> Outcome.done())
        .settings(WorkerSettings.DEFAULT.withLease(lease))
        .start();
  }

  @Test
  void health_tellsWhatIsWrong() throws Exception {
    assertThat(ask("/health").statusCode()).isEqualTo(503);
    assertThat(health().path("started").asBoolean()).isFalse();
    Worker worker = start(db.url(), ofSeconds(15));
    admin.show(worker, 7);
    HttpResponse<String> answer = ask("/health");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/json");
    JsonNode health = health();
    assertThat(health.path("ready").asBoolean()).isTrue();
    assertThat(health.path("database").path("answers").asBoolean()).isTrue();
    assertThat(health.path("schema").path("found").asInt()).isEqualTo(7);
    assertThat(health.path("lease").path("secondsLeft").asDouble()).isBetween(0.0, 15.0);
    assertThat(health.path("loops").propertyNames())
        .containsExactlyInAnyOrder(
            "exchange-1", "exchange-2", "heartbeat", "watchdog", "listener", "duties");
    assertThat(health.path("loops").values()).allMatch(JsonNode::asBoolean);
    worker.stop(Duration.ZERO);
    assertThat(ask("/health").statusCode()).isEqualTo(503);
    assertThat(health().path("draining").asBoolean()).isTrue();
  }

  @Test
  void aDatabaseThatSwallowsEverything_makesNoProbeHang() throws Exception {
    try (var hole = new BlackHole(db.url())) {
      Worker worker = start(hole.url(db.url()), ofSeconds(2));
      admin.show(worker, 7);
      assertThat(health().path("ready").asBoolean()).isTrue();
      hole.swallow();
      await()
          .atMost(ofSeconds(20))
          .pollInterval(ofMillis(50))
          .until(() -> {
            // Each of them within the ten seconds of the request, all the while.
            for (String path :
                new String[] {"/health/live", "/health/ready", "/health/started", "/metrics"})
              ask(path);
            JsonNode health = health();
            return !health.path("ready").asBoolean()
                && !health.path("database").path("answers").asBoolean()
                && health.path("lease").path("secondsLeft").asDouble() == 0;
          });
      assertThat(ask("/health").statusCode()).isEqualTo(503);
      assertThat(ask("/health/live").statusCode()).isEqualTo(200);
      worker.stop(Duration.ZERO);
    }
  }
}
