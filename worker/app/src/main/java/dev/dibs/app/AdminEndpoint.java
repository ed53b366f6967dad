package dev.dibs.app;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.dibs.DibsException;
import dev.dibs.worker.Worker;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * Where probes and Prometheus ask how a worker does. Answers from memory alone, so that a database
 * that is away makes no probe hang. Listens before the worker starts. Thread-safe.
 */
final class AdminEndpoint implements AutoCloseable {
  private final HttpServer server;
  private final PrometheusMeterRegistry registry = ProcessMeters.registry();
  private final boolean detailed;
  private volatile @Nullable Worker worker;
  private volatile int schemaVersion;

  private AdminEndpoint(HttpServer server, boolean detailed) {
    this.server = server;
    this.detailed = detailed;
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
    return url(server);
  }

  static String url(HttpServer server) {
    InetSocketAddress address = server.getAddress();
    String host = address.getAddress().getHostAddress();
    return "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      String method = exchange.getRequestMethod();
      boolean reads = method.equals("GET") || method.equals("HEAD");
      Reply reply = reads ? reply(exchange.getRequestURI().getPath()) : Reply.onlyGet();
      reply.send(exchange);
    }
  }

  private Reply reply(String path) {
    Worker shown = worker;
    if (path.equals("/health") && detailed)
      return Reply.report(shown != null && shown.isReady(), HealthReport.of(shown, schemaVersion));
    return switch (path) {
      case "/metrics" -> Reply.metrics(registry.scrape());
      case "/health/live" -> Reply.health(shown == null || shown.isLive());
      case "/health/ready" -> Reply.health(shown != null && shown.isReady());
      case "/health/started" -> Reply.health(shown != null);
      default ->
          Reply.notFound(
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
