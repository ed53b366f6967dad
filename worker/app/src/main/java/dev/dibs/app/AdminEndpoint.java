package dev.dibs.app;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.dibs.DibsException;
import dev.dibs.worker.Worker;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * Where probes and Prometheus ask how a worker does. Answers from memory alone, so that a database
 * that is away makes no probe hang. Listens before the worker starts. Thread-safe.
 */
final class AdminEndpoint implements AutoCloseable {
  private static final int OK = 200;
  private static final int NOT_FOUND = 404;
  private static final int METHOD_NOT_ALLOWED = 405;
  private static final int UNAVAILABLE = 503;
  private static final String PLAIN = "text/plain; charset=utf-8";
  private static final String JSON = "application/json";
  private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

  /** What is answered to one request. */
  private record Answer(int status, String type, String text) {
    static Answer health(boolean fine) {
      return fine ? new Answer(OK, PLAIN, "ok\n") : new Answer(UNAVAILABLE, PLAIN, "no\n");
    }
  }

  private final HttpServer server;
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final boolean detailed;
  private volatile @Nullable Worker worker;
  private volatile int schemaVersion;

  private AdminEndpoint(HttpServer server, boolean detailed) {
    this.server = server;
    this.detailed = detailed;
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
  }

  /**
   * Starts to answer.
   *
   * @param port 0 for any that is free
   * @param detailed whether {@code /health} is answered, to whoever asks
   * @throws DibsException if the address cannot be listened on
   */
  static AdminEndpoint listen(String bind, int port, boolean detailed) {
    var address = new InetSocketAddress(bind, port);
    if (address.isUnresolved())
      throw new UsageException("--admin-bind " + bind + " is no address of this machine");
    try {
      HttpServer server = HttpServer.create(address, 0);
      var endpoint = new AdminEndpoint(server, detailed);
      server.createContext("/", endpoint::serve);
      server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
      server.start();
      return endpoint;
    } catch (IOException e) {
      throw new DibsException(
          "the admin endpoint cannot listen on %s:%d: %s; give another --admin-port or --admin-bind"
              .formatted(bind, port, e.getMessage()),
          e);
    }
  }

  /** What {@code /metrics} shows. */
  MeterRegistry registry() {
    return registry;
  }

  /** From now on the probes speak of this worker, which works with a schema of this version. */
  void show(Worker worker, int schemaVersion) {
    this.schemaVersion = schemaVersion;
    this.worker = worker;
  }

  /** Where it listens, such as {@code http://127.0.0.1:9400}. */
  String url() {
    InetSocketAddress address = server.getAddress();
    String host = address.getAddress().getHostAddress();
    return "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      String method = exchange.getRequestMethod();
      Answer answer =
          method.equals("GET") || method.equals("HEAD") ? answer(exchange) : refusal(exchange);
      byte[] body = answer.text().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", answer.type());
      boolean bodiless = method.equals("HEAD");
      exchange.sendResponseHeaders(answer.status(), bodiless ? -1 : body.length);
      if (!bodiless) exchange.getResponseBody().write(body);
    }
  }

  private static Answer refusal(HttpExchange exchange) {
    exchange.getResponseHeaders().set("Allow", "GET, HEAD");
    return new Answer(METHOD_NOT_ALLOWED, PLAIN, "GET and HEAD only\n");
  }

  private Answer answer(HttpExchange exchange) {
    Worker shown = worker;
    String path = exchange.getRequestURI().getPath();
    if (path.equals("/health") && detailed)
      return new Answer(
          shown != null && shown.isReady() ? OK : UNAVAILABLE,
          JSON,
          HealthReport.of(shown, schemaVersion));
    return switch (path) {
      case "/metrics" -> new Answer(OK, PROMETHEUS, registry.scrape());
      case "/health/live" -> Answer.health(shown == null || shown.isLive());
      case "/health/ready" -> Answer.health(shown != null && shown.isReady());
      case "/health/started" -> Answer.health(shown != null);
      default ->
          new Answer(
              NOT_FOUND,
              PLAIN,
              "there are /metrics, /health/live, /health/ready, /health/started"
                  + (detailed ? ", /health\n" : "\n"));
    };
  }

  @Override
  public void close() {
    server.stop(0);
    registry.close();
  }
}
