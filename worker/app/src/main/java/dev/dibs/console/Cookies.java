package dev.dibs.console;

import com.sun.net.httpserver.HttpExchange;
import java.util.List;
import java.util.Optional;

/** The two cookies: the session's, and what its owner likes to see. */
final class Cookies {
  private static final String PREFERENCES = "dibs-prefs";
  private static final int A_YEAR = 365 * 24 * 60 * 60;

  private final boolean secure;

  Cookies(boolean secure) {
    this.secure = secure;
  }

  private String session() {
    return secure ? "__Host-dibs" : "dibs";
  }

  Optional<String> session(HttpExchange exchange) {
    return read(exchange, session()).filter(value -> value.matches("[A-Za-z0-9_-]{43}"));
  }

  Optional<String> preferences(HttpExchange exchange) {
    return read(exchange, PREFERENCES);
  }

  /** Lax, as a link in a chat must lead in; what changes anything asks for more than the cookie. */
  String newSession(String secret) {
    return session() + "=" + secret + attributes();
  }

  String noSession() {
    return session() + "=" + attributes() + "; Max-Age=0";
  }

  String newPreferences(String value) {
    return PREFERENCES + "=" + value + attributes() + "; Max-Age=" + A_YEAR;
  }

  private String attributes() {
    return "; Path=/; HttpOnly; SameSite=Lax" + (secure ? "; Secure" : "");
  }

  private static Optional<String> read(HttpExchange exchange, String name) {
    List<String> headers = exchange.getRequestHeaders().getOrDefault("Cookie", List.of());
    return headers.stream()
        .flatMap(header -> List.of(header.split(";", -1)).stream())
        .map(String::strip)
        .filter(pair -> pair.startsWith(name + "="))
        .map(pair -> pair.substring(name.length() + 1))
        .findFirst();
  }
}
