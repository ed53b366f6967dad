package dev.dibs.app;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** What is answered to one request. Immutable. */
record Reply(int status, String type, String text, Map<String, String> headers) {
  static final int OK = 200;
  static final int CREATED = 201;
  private static final int NOT_FOUND = 404;
  private static final int METHOD_NOT_ALLOWED = 405;
  private static final int UNAVAILABLE = 503;

  static final String JSON = "application/json";
  static final String LINES = "application/x-ndjson";
  private static final String PLAIN = "text/plain; charset=utf-8";
  private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

  /** Who is refused may still be sending; if he were cut off he would not read why. */
  private static final int MOST_SKIPPED = 8 << 20;

  Reply {
    headers = Map.copyOf(headers);
  }

  Reply(int status, String type, String text) {
    this(status, type, text, Map.of());
  }

  static Reply health(boolean fine) {
    return fine ? new Reply(OK, PLAIN, "ok\n") : new Reply(UNAVAILABLE, PLAIN, "no\n");
  }

  /** The same with what is wrong, as JSON. */
  static Reply report(boolean fine, String json) {
    return new Reply(fine ? OK : UNAVAILABLE, JSON, json);
  }

  static Reply metrics(String text) {
    return new Reply(OK, PROMETHEUS, text);
  }

  static Reply notFound(String text) {
    return new Reply(NOT_FOUND, PLAIN, text);
  }

  static Reply onlyGet() {
    return new Reply(METHOD_NOT_ALLOWED, PLAIN, "GET and HEAD only\n").with("Allow", "GET, HEAD");
  }

  Reply with(String header, String value) {
    Map<String, String> more = new HashMap<>(headers);
    more.put(header, value);
    return new Reply(status, type, text, more);
  }

  /** Sends this, without its body if only the head was asked for. */
  void send(HttpExchange exchange) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    headers.forEach(exchange.getResponseHeaders()::set);
    boolean bodiless = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, bodiless ? -1 : body.length);
    if (bodiless) return;
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(body);
      out.flush();
      skip(exchange.getRequestBody());
    }
  }

  private static void skip(InputStream unread) throws IOException {
    byte[] some = new byte[8 << 10];
    int skipped = 0;
    for (int read = 0; read >= 0 && skipped < MOST_SKIPPED; skipped += read)
      read = unread.read(some);
  }
}
