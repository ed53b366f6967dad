package dev.dibs.console;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Everything that can be asked for. Immutable. */
record Router(List<Route> routes) {
  /** Who answers, and what stood in place of the braces. */
  record Match(Route route, List<String> values) {}

  Router {
    routes = List.copyOf(routes);
  }

  /**
   * Who answers.
   *
   * @param path as it came, still encoded
   */
  Match match(String method, String path) {
    List<String> parts = parts(path);
    List<Match> found = new ArrayList<>();
    for (Route route : routes) {
      route.match(parts).ifPresent(values -> found.add(new Match(route, values)));
    }
    if (found.isEmpty()) throw Refusal.notFound("There is no page at this address.");
    String asked = method.equals("HEAD") ? "GET" : method;
    return found.stream()
        .filter(match -> match.route().method().equals(asked))
        .findFirst()
        .orElseThrow(() ->
            new Refusal(
                405,
                "Not this way",
                "Here is "
                    + found.stream()
                        .map(match -> match.route().method())
                        .distinct()
                        .collect(Collectors.joining(", "))
                    + " only, not "
                    + method
                    + "."));
  }

  /** Decoded after it was cut, so that a name may hold a slash. */
  private static List<String> parts(String path) {
    try {
      List<String> parts = new ArrayList<>();
      for (String part : path.substring(1).split("/", -1)) {
        String decoded = URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
        if (decoded.indexOf('\uFFFD') >= 0 || decoded.indexOf('\0') >= 0)
          throw Refusal.badRequest("The address is not UTF-8 text.");
        parts.add(decoded);
      }
      return parts;
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest("The address has a % that stands for nothing.");
    }
  }
}
