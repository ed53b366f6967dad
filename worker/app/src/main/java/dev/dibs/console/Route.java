package dev.dibs.console;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is answered at an address, and for whom.
 *
 * @param method GET or POST; what is got changes nothing
 * @param pattern {@code /queues/{name}}: a part in braces stands for anything
 * @param role who may; empty: everybody, logged in or not
 * @param changes whether it changes tasks, queues, kinds, schedules or workers, which read-only
 *     forbids
 */
record Route(String method, String pattern, Optional<Role> role, boolean changes, Handler handler) {
  /** Answers a request. */
  interface Handler {
    Answer answer(Visit visit) throws Exception;
  }

  /** A page without a login. */
  static Route open(String method, String pattern, Handler handler) {
    return new Route(method, pattern, Optional.empty(), false, handler);
  }

  static Route get(String pattern, Handler handler) {
    return new Route("GET", pattern, Optional.of(Role.VIEWER), false, handler);
  }

  /** What a person does to their own browser or session alone. */
  static Route post(String pattern, Handler handler) {
    return new Route("POST", pattern, Optional.of(Role.VIEWER), false, handler);
  }

  static Route action(String method, String pattern, Role role, Handler handler) {
    return new Route(method, pattern, Optional.of(role), true, handler);
  }

  /** Whether it is a page that a stream may show again and again: whoever is in may see it. */
  boolean isShownAgain() {
    return !changes && method.equals("GET") && role.equals(Optional.of(Role.VIEWER));
  }

  /** What stands in place of the braces, if the path is one of these. */
  Optional<List<String>> match(List<String> path) {
    String[] parts = pattern.substring(1).split("/", -1);
    if (parts.length != path.size()) return Optional.empty();
    List<String> values = new ArrayList<>();
    for (int i = 0; i < parts.length; i++) {
      if (parts[i].startsWith("{")) values.add(path.get(i));
      else if (!parts[i].equals(path.get(i))) return Optional.empty();
    }
    return Optional.of(values);
  }
}
