package dev.dibs.console;

import com.sun.net.httpserver.HttpExchange;
import java.net.InetAddress;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds out who makes a request, and whether it is them or another site in their browser. */
final class Gate {
  private static final Set<String> THIS_MACHINE = Set.of("localhost", "127.0.0.1", "[::1]");
  static final String TOKEN = "csrf";

  private final Login login;
  private final Sessions sessions;
  private final Secrets secrets;

  Gate(Login login, Sessions sessions, Secrets secrets) {
    this.login = login;
    this.sessions = sessions;
    this.secrets = secrets;
  }

  boolean asksForPasswords() {
    return login instanceof Login.Passwords;
  }

  /** Who that is, as far as it is known. */
  Optional<Visitor> visitor(HttpExchange exchange, String secret) {
    return switch (login) {
      case Login.Local(Role role) -> Optional.of(new Visitor("local", role));
      case Login.Passwords passwords -> sessions.visit(secret);
      case Login.Proxy proxy -> introduced(exchange, proxy);
    };
  }

  private static Optional<Visitor> introduced(HttpExchange exchange, Login.Proxy proxy) {
    InetAddress from = exchange.getRemoteAddress().getAddress();
    String secret = header(exchange, "X-Dibs-Proxy-Secret");
    String name = header(exchange, "X-Dibs-User");
    if (!proxy.isAt(from) || !Secrets.same(proxy.secret(), secret))
      throw Refusal.forbidden("Only the proxy in front of the console is answered.");
    if (name.isBlank() || name.length() > 64) return Optional.empty();
    try {
      return Optional.of(new Visitor(name, Role.of(header(exchange, "X-Dibs-Role"))));
    } catch (IllegalArgumentException e) {
      throw Refusal.forbidden("X-Dibs-Role: " + e.getMessage() + ".");
    }
  }

  /** Whether a stream that began so may go on; asking keeps nobody logged in. */
  boolean isStillOpen(String secret) {
    return !(login instanceof Login.Passwords) || sessions.isOpen(secret);
  }

  /**
   * Where nobody is asked who they are, another site could have its own name point here and read
   * along; it cannot make a browser send our name.
   */
  void checkHost(HttpExchange exchange) {
    String host = header(exchange, "Host").replaceFirst(":\\d+$", "");
    if (login instanceof Login.Local && !THIS_MACHINE.contains(host))
      throw new Refusal(421, "Not this host", "Ask for localhost or 127.0.0.1.");
  }

  /** A form is sent by our page, or not taken. */
  void checkForm(Visit visit) {
    if (!isSameOrigin(visit.exchange()))
      throw Refusal.forbidden(
          "The form was not sent by a page of this console. Nothing was changed.");
    String token = visit.form().text(TOKEN).orElse("");
    if (!secrets.isSigned(TOKEN, visit.secret(), token))
      throw Refusal.forbidden(
          "The form is too old, or you have logged in anew since. Nothing was changed: go back, reload the page and try again.");
  }

  /** What the forms of this browser hold; it changes with the login. */
  String token(String secret) {
    return secrets.sign(TOKEN, secret);
  }

  private static boolean isSameOrigin(HttpExchange exchange) {
    String site = header(exchange, "Sec-Fetch-Site");
    if (!site.isEmpty()) return site.equals("same-origin");
    String origin = header(exchange, "Origin").replaceFirst("^https?://", "");
    return !origin.isEmpty() && origin.equals(header(exchange, "Host"));
  }

  /** A stream is no form, and yet no business of another site. */
  static void checkSite(Visit visit) {
    String site = visit.header("Sec-Fetch-Site").orElse("same-origin");
    if (!site.equals("same-origin")) throw Refusal.forbidden("Only pages of this console listen.");
  }

  private static String header(HttpExchange exchange, String name) {
    @Nullable String value = exchange.getRequestHeaders().getFirst(name);
    return value == null ? "" : value;
  }
}
