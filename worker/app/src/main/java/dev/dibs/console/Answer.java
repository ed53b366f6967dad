package dev.dibs.console;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** What is sent back. Immutable. */
final class Answer {
  static final String HTML = "text/html; charset=utf-8";

  /** Already sent, bit by bit. */
  static final Answer SENT = new Answer(0, Map.of(), new byte[0]);

  private final int status;
  private final Map<String, String> headers;
  private final byte[] body;

  Answer(int status, Map<String, String> headers, byte[] body) {
    this.status = status;
    this.headers = Map.copyOf(headers);
    this.body = body;
  }

  static Answer page(int status, String html) {
    return new Answer(status, Map.of("Content-Type", HTML), html.getBytes(StandardCharsets.UTF_8));
  }

  /** To another page, with a GET. */
  static Answer to(Url url) {
    return new Answer(303, Map.of("Location", url.toString()), new byte[0]);
  }

  static Answer empty(int status) {
    return new Answer(status, Map.of(), new byte[0]);
  }

  Answer with(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(name, value);
    return new Answer(status, more, body);
  }

  int status() {
    return status;
  }

  Map<String, String> headers() {
    return headers;
  }

  String text() {
    return new String(body, StandardCharsets.UTF_8);
  }

  void send(HttpExchange exchange) throws IOException {
    if (this == SENT) return;
    Headers sent = exchange.getResponseHeaders();
    headers.forEach(sent::set);
    boolean bodiless = body.length == 0 || exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, bodiless ? -1 : body.length);
    if (!bodiless) exchange.getResponseBody().write(body);
  }
}
