package dev.dibs.console;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * Sends a page anew whenever it has changed, as server-sent events; the script puts what is live of
 * it in place. A stream is a virtual thread that ends when its reader does.
 */
final class Live implements AutoCloseable {
  private static final Duration EVERY = Duration.ofSeconds(5);
  private static final Duration LIFE = Duration.ofMinutes(30);
  private static final int STREAMS = 3;

  /** Asks for a page again, as the same person. */
  interface Renewal {
    Answer again(Visit visit, URI page) throws Exception;
  }

  private final Gate gate;
  private final Renewal renewal;
  private final Map<String, Integer> streams = new ConcurrentHashMap<>();
  private final CountDownLatch closed = new CountDownLatch(1);

  Live(Gate gate, Renewal renewal) {
    this.gate = gate;
    this.renewal = renewal;
  }

  List<Route> routes() {
    return List.of(Route.get("/live", this::stream));
  }

  private Answer stream(Visit visit) throws InterruptedException {
    Gate.checkSite(visit);
    URI page = page(visit.query().only(Set.of("page")));
    if (streams.merge(visit.secret(), 1, Integer::sum) > STREAMS) {
      leave(visit);
      return Answer.empty(204); // which tells the browser to stop asking; it polls then
    }
    try {
      send(visit, page);
      return Answer.SENT;
    } catch (IOException e) {
      return Answer.SENT; // the reader is gone
    } finally {
      leave(visit);
    }
  }

  private void leave(Visit visit) {
    streams.computeIfPresent(visit.secret(), (key, count) -> count == 1 ? null : count - 1);
  }

  private static URI page(Fields query) {
    String page = query.needed("page");
    if (!page.startsWith("/") || page.startsWith("//") || page.startsWith("/live"))
      throw Refusal.badRequest("'page' is no page of this console.");
    try {
      return URI.create(page);
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest("'page' is no page of this console.");
    }
  }

  private void send(Visit visit, URI page) throws IOException, InterruptedException {
    HttpExchange exchange = visit.exchange();
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
    exchange.getResponseHeaders().set("X-Accel-Buffering", "no");
    exchange.sendResponseHeaders(200, 0);
    OutputStream out = exchange.getResponseBody();
    long jitter = ThreadLocalRandom.current().nextLong(1_000);
    write(out, "retry: " + (3_000 + jitter) + "\n\n");
    long end = System.nanoTime() + LIFE.toNanos();
    String sent = "";
    while (System.nanoTime() < end && !closed.await(EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
      if (!gate.isStillOpen(visit.secret())) {
        event(out, "over", "");
        return;
      }
      String html = again(visit, page);
      if (html.isEmpty())
        write(out, ": not now\n\n"); // a reader that is gone is found out by writing
      else if (html.equals(sent)) event(out, "beat", "");
      else event(out, "page", html);
      sent = html;
    }
  }

  /**
   * The page's main part; empty if it cannot be had just now, which the mark on the page will say.
   */
  private String again(Visit visit, URI page) {
    try {
      Answer answer = renewal.again(visit, page);
      String html = answer.text();
      int from = html.indexOf("<main");
      int to = html.indexOf("</main>");
      return answer.status() != 200 || from < 0 || to < from ? "" : html.substring(from, to + 7);
    } catch (Exception e) { // the stream goes on: what fails now may work in a while
      return "";
    }
  }

  private static void event(OutputStream out, String name, String data) throws IOException {
    write(
        out,
        "event: " + name + "\ndata: " + data.replace("\r", "").replace("\n", "\ndata: ") + "\n\n");
  }

  private static void write(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  @Override
  public void close() {
    closed.countDown();
  }
}
