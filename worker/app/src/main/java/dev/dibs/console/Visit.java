package dev.dibs.console;

import com.sun.net.httpserver.HttpExchange;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * One request, who makes it and how they like their pages. Runs on the thread of its request alone.
 *
 * @param requestId short, on the page of an error and in the log
 * @param secret of the session, or of the browser that has none yet
 */
record Visit(
    HttpExchange exchange,
    String requestId,
    Visitor visitor,
    String secret,
    Preferences preferences,
    Asked asked) {
  private static final int LONGEST_NAME = 128;

  /**
   * What is asked for.
   *
   * @param uri as it came, or the page that a stream shows
   * @param values what stands in place of the braces of the route
   * @param form empty for what is got
   */
  record Asked(URI uri, List<String> values, Fields query, Fields form) {
    /** Before anything was checked. */
    static Asked of(URI uri) {
      return new Asked(uri, List.of(), Fields.parse(""), Fields.parse(""));
    }
  }

  Visit by(Visitor visitor, String secret, Asked asked) {
    return new Visit(exchange, requestId, visitor, secret, preferences, asked);
  }

  String path() {
    return asked.uri().getRawPath();
  }

  /** The page as the browser would ask for it again. */
  String address() {
    String query = asked.uri().getRawQuery();
    return query == null ? path() : path() + "?" + query;
  }

  Fields query() {
    return asked.query();
  }

  Fields form() {
    return asked.form();
  }

  /** A name from the address, such as a queue's. */
  String name() {
    String name = asked.values().getFirst();
    if (name.isEmpty() || name.length() > LONGEST_NAME)
      throw Refusal.badRequest("A name has 1 to " + LONGEST_NAME + " characters.");
    return name;
  }

  UUID id() {
    try {
      return Fields.uuid(asked.values().getFirst());
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest("An id is like 0197f3c2-7b1e-7a33-9d52-1f0c6f3b9a11.");
    }
  }

  Optional<String> header(String name) {
    return Optional.ofNullable(exchange.getRequestHeaders().getFirst(name));
  }

  boolean isPost() {
    return exchange.getRequestMethod().equals("POST");
  }

  /** The address that asks; behind a proxy, the proxy's. */
  String from() {
    return exchange.getRemoteAddress().getAddress().getHostAddress();
  }
}
