package dev.dibs.app;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.dibs.DibsException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Enqueues over HTTP, for services that have no connection to the database. Each request has a
 * virtual thread; how many are worked at is bounded, and what does not fit is refused at once. What
 * is said to be enqueued is committed. Thread-safe.
 */
final class Gateway implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);
  static final String TASKS = "/v1/tasks";

  /** What can be asked for, and how. */
  static final Map<String, String> PATHS =
      Map.of(
          TASKS,
          "POST",
          "/openapi.json",
          "GET, HEAD",
          "/health/live",
          "GET, HEAD",
          "/health/ready",
          "GET, HEAD",
          "/metrics",
          "GET, HEAD");

  private static final int BACKLOG = 1_024;
  private static final Duration DRAIN = Duration.ofSeconds(20);
  private static final int MOST_HEADER_CHARS = 16 << 10;

  private final HttpServer server;
  private final TaskPost tasks;
  private final Intake intake;
  private final InFlight inFlight;
  private final DatabaseHealth health;
  private final PrometheusMeterRegistry registry;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final String description = resource("openapi.json");

  private Gateway(HttpServer server, Database database, GatewaySettings settings, Tokens tokens) {
    this.server = server;
    this.health = new DatabaseHealth(database);
    this.intake = new Intake(database, settings, health);
    this.inFlight = new InFlight(settings.maxRequests(), settings.maxBodies());
    this.registry = ProcessMeters.registry();
    this.tasks = new TaskPost(intake, settings, tokens, registry);
    registry.gauge("dibs.gateway.in.flight", inFlight, InFlight::requests);
  }

  /**
   * Starts to answer.
   *
   * @param address loopback, or tokens are asked for
   * @throws DibsException if it cannot be listened on
   */
  static Gateway listen(
      InetSocketAddress address, Database database, GatewaySettings settings, Tokens tokens) {
    ServerLimits.set();
    try {
      HttpServer server = HttpServer.create(address, BACKLOG);
      var gateway = new Gateway(server, database, settings, tokens);
      server.createContext("/", gateway::serve);
      server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
      gateway.health.start();
      server.start();
      return gateway;
    } catch (IOException e) {
      throw new DibsException(
          "the gateway cannot listen on %s:%d: %s; give another --port or --bind"
              .formatted(address.getHostString(), address.getPort(), e.getMessage()),
          e);
    }
  }

  /** Where it listens, such as {@code http://127.0.0.1:9420}. */
  String url() {
    return AdminEndpoint.url(server);
  }

  private void serve(HttpExchange exchange) throws IOException {
    Timer.Sample sample = Timer.start(registry);
    try (exchange;
        InFlight.Place place = inFlight.place()) {
      Reply reply = reply(exchange, place);
      reply.send(exchange);
      if (exchange.getRequestURI().getPath().equals(TASKS))
        sample.stop(registry.timer("dibs.gateway.request", "status", "" + reply.status()));
    }
  }

  private Reply reply(HttpExchange exchange, InFlight.Place place) throws IOException {
    try {
      checkHead(exchange);
      return answer(exchange, place);
    } catch (Problem e) {
      return refusal(e);
    } catch (RuntimeException e) {
      // Not its message: that could quote the request.
      LOG.error("a request failed: {} at {}", e.getClass().getName(), e.getStackTrace()[0]);
      return refusal(
          Problem.of(
              ProblemType.FAILED, "this is a bug in dibs, its log says where; nobody knows more"));
    }
  }

  private Reply refusal(Problem problem) {
    Counter.builder("dibs.gateway.rejected")
        .tag("reason", problem.type().label())
        .register(registry)
        .increment();
    return problem.reply();
  }

  private static void checkHead(HttpExchange exchange) {
    long chars = 0;
    for (Map.Entry<String, List<String>> header : exchange.getRequestHeaders().entrySet()) {
      for (String value : header.getValue()) chars += header.getKey().length() + value.length();
    }
    if (chars > MOST_HEADER_CHARS)
      throw Problem.of(
          ProblemType.HEADERS_TOO_LARGE,
          "the headers have %d characters, at most %d are read"
              .formatted(chars, MOST_HEADER_CHARS));
    String path = exchange.getRequestURI().getPath();
    String allowed = PATHS.get(path);
    if (allowed == null) throw Problem.of(ProblemType.NO_SUCH_PATH, "tasks are posted to " + TASKS);
    String method = exchange.getRequestMethod();
    if (!List.of(allowed.split(", ", -1)).contains(method))
      throw Problem.of(ProblemType.WRONG_METHOD, allowed + " only").with("Allow", allowed);
  }

  private Reply answer(HttpExchange exchange, InFlight.Place place) throws IOException {
    return switch (exchange.getRequestURI().getPath()) {
      case "/health/live" -> Reply.health(true);
      case "/health/ready" -> Reply.health(!inFlight.isStopping() && !health.isAway());
      case "/metrics" -> Reply.metrics(registry.scrape());
      case "/openapi.json" -> new Reply(Reply.OK, Reply.JSON, description);
      default -> tasks.answer(exchange, place);
    };
  }

  private static String resource(String name) {
    try (InputStream in = Gateway.class.getResourceAsStream(name)) {
      if (in == null) throw new DibsException("the jar is not complete: it has no " + name);
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void awaitStop() throws InterruptedException {
    stopped.await();
  }

  /**
   * Refuses what comes from now on, answers what is in flight, for 20 seconds at most, and ends. An
   * interrupt ends the patience and is kept.
   */
  @Override
  public void close() {
    if (stopped.getCount() == 0) return;
    boolean interrupted = false;
    try {
      inFlight.stop(DRAIN);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    server.stop(0);
    intake.close();
    health.close();
    registry.close();
    stopped.countDown();
    if (interrupted) Thread.currentThread().interrupt();
  }
}
