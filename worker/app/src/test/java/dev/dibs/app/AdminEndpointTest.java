package dev.dibs.app;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.DibsException;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import dev.dibs.worker.Worker;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AdminEndpointTest {
  private final HttpClient client = HttpClient.newHttpClient();
  private final AdminEndpoint admin = AdminEndpoint.listen("127.0.0.1", 0, false);

  @AfterEach
  void close() {
    admin.close();
    client.shutdownNow();
  }

  private HttpResponse<String> ask(String method, String path)
      throws IOException, InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create(admin.url() + path))
            .method(method, HttpRequest.BodyPublishers.noBody())
            .build();
    return client.send(request, HttpResponse.BodyHandlers.ofString());
  }

  private int status(String path) throws IOException, InterruptedException {
    return ask("GET", path).statusCode();
  }

  @Test
  void probes_followTheWorker() throws Exception {
    assertThat(status("/health/live")).isEqualTo(200);
    assertThat(status("/health/started")).isEqualTo(503);
    assertThat(status("/health/ready")).isEqualTo(503);
    try (var db = TestDatabase.create()) {
      Worker worker =
          Worker.on(db.dataSource())
              .queue("default", 2)
              .handle(Kind.json("noop"), (p, t) -> dev.dibs.Outcome.done())
              .start();
      admin.show(worker, 3);
      assertThat(status("/health/live")).isEqualTo(200);
      assertThat(status("/health/started")).isEqualTo(200);
      assertThat(status("/health/ready")).isEqualTo(200);
      worker.stop(Duration.ZERO);
      assertThat(status("/health/ready")).isEqualTo(503);
      await().atMost(ofSeconds(5)).until(() -> status("/health/live") == 503);
      assertThat(status("/health/started")).isEqualTo(200);
    }
  }

  @Test
  void metrics_showWhatTheWorkerDid() throws Exception {
    try (var db = TestDatabase.create();
        var producer = Producer.on(db.dataSource());
        var worker =
            Worker.on(db.dataSource())
                .queue("default", 2)
                .handle(Kind.json("noop"), (p, t) -> dev.dibs.Outcome.done())
                .metrics(admin.registry())
                .start()) {
      admin.show(worker, 3);
      producer.enqueue(Kind.json("noop").task(new Json("{}")));
      String counted =
          "dibs_tasks_finished_total{kind=\"noop\",outcome=\"succeeded\",queue=\"default\"} 1.0";
      await()
          .atMost(ofSeconds(10))
          .until(() -> {
            String body = ask("GET", "/metrics").body();
            return body.contains(counted) && body.contains("dibs_task_run_seconds_bucket");
          });
      HttpResponse<String> metrics = ask("GET", "/metrics");
      assertThat(metrics.statusCode()).isEqualTo(200);
      assertThat(metrics.headers().firstValue("Content-Type").orElse(""))
          .startsWith("text/plain; version=0.0.4");
      assertThat(metrics.body())
          .contains(
              "dibs_task_run_seconds_bucket", "dibs_worker_capacity 2.0", "jvm_memory_used_bytes");
    }
  }

  @Test
  void otherPathsAndMethods_areRefused() throws Exception {
    assertThat(status("/")).isEqualTo(404);
    assertThat(status("/metricsx")).isEqualTo(404);
    assertThat(status("/health")).isEqualTo(404);
    assertThat(status("/metrics/x")).isEqualTo(404);
    HttpResponse<String> post = ask("POST", "/metrics");
    assertThat(post.statusCode()).isEqualTo(405);
    assertThat(post.headers().firstValue("Allow")).contains("GET, HEAD");
    HttpResponse<String> head = ask("HEAD", "/health/live");
    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.body()).isEmpty();
    assertThat(status("/health/live")).isEqualTo(200);
  }

  @Test
  void portInUse_isOneLineAndAWayOut() throws Exception {
    try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(() -> AdminEndpoint.listen("127.0.0.1", taken.getLocalPort(), false))
          .isInstanceOf(DibsException.class)
          .isNotInstanceOf(UsageException.class)
          .hasMessageContaining("127.0.0.1:" + taken.getLocalPort())
          .hasMessageContaining("--admin-port");
    }
  }
}
