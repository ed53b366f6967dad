package dev.dibs.console;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.dibs.DibsException;
import dev.dibs.operations.Bulks;
import dev.dibs.operations.Explainer;
import dev.dibs.operations.Operations;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;

/**
 * Pages in a browser that show what the queue does and let people act on it. Each request has a
 * virtual thread; how much of the database they get is bounded by its connections. Thread-safe.
 */
public final class Console implements AutoCloseable {
  private static final int BACKLOG = 128;
  private static final int LONGEST_ADDRESS = 4 << 10;

  private final HttpServer server;
  private final SafeHeaders safe;
  private final Cookies cookies;
  private final Secrets secrets = new Secrets();
  private final Gate gate;
  private final Sampler sampler;
  private final Live live;
  private final BulkRates rates = new BulkRates();
  private final Drives drives;
  private final Site site;
  private final ErrorPages errors;
  private final Router router;
  private final CountDownLatch stopped = new CountDownLatch(1);

  private Console(
      HttpServer server, ConsoleSettings settings, ConsoleDatabase database, InstantSource clock) {
    this.server = server;
    this.safe = new SafeHeaders(settings.https());
    this.cookies = new Cookies(settings.securesCookies());
    var sessions = new Sessions(clock);
    this.gate = new Gate(settings.login(), sessions, secrets);
    var assets = new Assets();
    this.sampler = new Sampler(database, settings.readOnly(), clock);
    this.site = new Site(settings, assets, gate, sampler::situation, clock);
    this.errors = new ErrorPages(site);
    this.live = new Live(gate, this::again);
    this.drives = new Drives(Bulks.on(database.bulks(), database.schema()), rates::saw);
    this.router =
        new Router(routes(new LoginPages(site, sessions, cookies), assets, desk(database)));
  }

  private Desk desk(ConsoleDatabase database) {
    return new Desk(
        site,
        sampler,
        Operations.on(database.reads(), database.schema()),
        Operations.on(database.writes(), database.schema()),
        Explainer.on(database.reads(), database.schema()),
        database);
  }

  private List<Route> routes(LoginPages login, Assets assets, Desk desk) {
    var limit = new ActionLimit(site.clock());
    var steering = new Steering(desk, limit);
    List<Route> routes = new ArrayList<>();
    routes.add(Route.open("GET", "/assets/{name}", assets::answer));
    routes.addAll(login.routes());
    routes.addAll(live.routes());
    routes.addAll(new OtherPages(desk).routes());
    routes.addAll(new TaskDeeds(desk, limit).routes()); // before /tasks/{id}
    routes.addAll(new TaskPages(desk, secrets).routes());
    routes.addAll(new SteerPages(desk, steering).routes());
    routes.addAll(new RetentionPages(desk, steering).routes());
    routes.addAll(new SchedulePages(desk, steering).routes());
    routes.addAll(new AuditPages(desk).routes());
    routes.addAll(new QueuePages(desk).routes());
    routes.addAll(new FailurePage(desk).routes());
    routes.addAll(new BulkAsking(desk, secrets, drives, steering).routes()); // before /bulk/{id}
    routes.addAll(new BulkPages(desk, drives, rates, steering).routes());
    return routes;
  }

  /**
   * Starts to answer.
   *
   * @throws DibsException if it cannot be listened on
   */
  public static Console listen(ConsoleSettings settings, ConsoleDatabase database) {
    return listen(settings, database, InstantSource.system());
  }

  static Console listen(ConsoleSettings settings, ConsoleDatabase database, InstantSource clock) {
    InetSocketAddress address = settings.address();
    try {
      HttpServer server = HttpServer.create(address, BACKLOG);
      var console = new Console(server, settings, database, clock);
      server.createContext("/", console::serve);
      server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
      server.start();
      return console;
    } catch (IOException e) {
      throw new DibsException(
          "the console cannot listen on %s:%d: %s; give another --port or --bind"
              .formatted(address.getHostString(), address.getPort(), e.getMessage()),
          e);
    }
  }

  /** Where it listens, such as {@code http://127.0.0.1:9410}. */
  public String url() {
    InetSocketAddress address = server.getAddress();
    String host = address.getAddress().getHostAddress();
    return "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
  }

  Router router() {
    return router;
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      String requestId = Secrets.requestId();
      safe.addTo(exchange.getResponseHeaders());
      exchange.getResponseHeaders().set("X-Request-Id", requestId);
      answer(visit(exchange, requestId)).send(exchange);
    }
  }

  /** The request as far as it is known before anything is checked. */
  private Visit visit(HttpExchange exchange, String requestId) {
    String secret = cookies.session(exchange).orElse("");
    Preferences preferences =
        cookies.preferences(exchange).map(Preferences::parse).orElse(Preferences.DEFAULT);
    return new Visit(
        exchange,
        requestId,
        Visitor.NOBODY,
        secret,
        preferences,
        Visit.Asked.of(exchange.getRequestURI()));
  }

  private Answer answer(Visit visit) {
    try {
      if (visit.address().length() > LONGEST_ADDRESS)
        throw new Refusal(414, "Too long", "An address has 4 KiB at most.");
      gate.checkHost(visit.exchange());
      return admitted(visit);
    } catch (Exception e) { // the outermost frame of a request: whatever it is becomes a page
      return errors.answer(visit, e);
    }
  }

  private Answer admitted(Visit visit) throws Exception {
    Router.Match match = router.match(visit.exchange().getRequestMethod(), visit.path());
    Route route = match.route();
    Optional<Visitor> visitor = gate.visitor(visit.exchange(), visit.secret());
    if (route.role().isPresent() && visitor.isEmpty()) return stranger(visit);
    boolean isNew = visit.secret().isEmpty() && !route.pattern().startsWith("/assets/");
    Visit known =
        visit.by(
            visitor.orElse(Visitor.NOBODY),
            isNew ? Secrets.random() : visit.secret(),
            asked(visit, match));
    Answer answer = served(known, route);
    boolean keeps = answer.headers().containsKey("Set-Cookie") || answer == Answer.SENT;
    return isNew && !keeps ? answer.with("Set-Cookie", cookies.newSession(known.secret())) : answer;
  }

  /** What goes wrong from here on is told to somebody who is known, on a page that leads on. */
  private Answer served(Visit known, Route route) {
    try {
      if (known.isPost()) gate.checkForm(known);
      route.role().ifPresent(role -> require(known, role));
      if (route.changes()) requireWritable();
      return route.handler().answer(known);
    } catch (Exception e) { // as in answer
      return errors.answer(known, e);
    }
  }

  private Answer stranger(Visit visit) {
    if (!gate.asksForPasswords())
      throw new Refusal(401, "Who are you?", "The proxy did not say who you are.");
    if (visit.isPost())
      throw new Refusal(
          401, "Logged out", "Your session is over. Nothing was changed: log in and try again.");
    return Answer.to(Url.of("login").with("to", visit.address()));
  }

  private static Visit.Asked asked(Visit visit, Router.Match match) throws IOException {
    HttpExchange exchange = visit.exchange();
    Fields query = Fields.parse(exchange.getRequestURI().getRawQuery());
    Fields form =
        visit.isPost()
            ? Fields.form(
                exchange.getRequestHeaders().getFirst("Content-Type"), exchange.getRequestBody())
            : Fields.parse("");
    return new Visit.Asked(exchange.getRequestURI(), match.values(), query, form);
  }

  /** A page once more, for a stream: the same person, who may have lost what they were. */
  private Answer again(Visit visit, URI page) throws Exception {
    Router.Match match = router.match("GET", page.getRawPath());
    Route route = match.route();
    if (!route.isShownAgain()) return Answer.empty(404);
    Fields query = Fields.parse(page.getRawQuery());
    var asked = new Visit.Asked(page, match.values(), query, Fields.parse(""));
    return route.handler().answer(visit.by(visit.visitor(), visit.secret(), asked));
  }

  private void requireWritable() {
    site.situations()
        .get()
        .readOnlyBecause()
        .ifPresent(why -> {
          throw Refusal.forbidden("Read-only: " + why + ". Nothing was changed.");
        });
  }

  private static void require(Visit visit, Role role) {
    if (!visit.visitor().role().covers(role))
      throw Refusal.forbidden(
          "This needs the role %s; you are %s. Nothing was changed."
              .formatted(role.word(), visit.visitor().role().word()));
  }

  /**
   * Stops the bulks that it drives after their batch, waits a little for them, and begins no more.
   * Pages are answered as before.
   */
  public void stopBulks() {
    drives.close();
  }

  /** Returns when {@link #close} was called. */
  public void awaitStop() throws InterruptedException {
    stopped.await();
  }

  @Override
  public void close() {
    live.close();
    sampler.close();
    server.stop(0);
    drives.close();
    stopped.countDown();
  }
}
