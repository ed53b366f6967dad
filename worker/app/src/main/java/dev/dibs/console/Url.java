package dev.dibs.console;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** An address of this console, the only way to write one: every part is encoded. Immutable. */
final class Url {
  /** A parameter, not encoded. */
  record Pair(String name, String value) {}

  private final String path;
  private final List<Pair> query;

  private Url(String path, List<Pair> query) {
    this.path = path;
    this.query = query;
  }

  /** {@code of("queues", name)} is {@code /queues/NAME}. */
  static Url of(String... segments) {
    var path = new StringBuilder();
    for (String segment : segments) path.append('/').append(encoded(segment));
    return new Url(path.isEmpty() ? "/" : path.toString(), List.of());
  }

  Url with(String name, String value) {
    List<Pair> longer = new ArrayList<>(query);
    longer.add(new Pair(name, value));
    return new Url(path, longer);
  }

  Url with(String name, Optional<String> value) {
    return value.map(present -> with(name, present)).orElse(this);
  }

  Url without(String name) {
    return new Url(path, query.stream().filter(pair -> !pair.name().equals(name)).toList());
  }

  /** What a form has to hold to send the same parameters. */
  List<Pair> pairs() {
    return List.copyOf(query);
  }

  String query() {
    var text = new StringBuilder();
    for (Pair pair : query) {
      text.append(text.isEmpty() ? "" : "&").append(encoded(pair.name())).append('=');
      text.append(encoded(pair.value()));
    }
    return text.toString();
  }

  /** A dot is encoded where it could be read as a way up. */
  private static String encoded(String text) {
    String encoded = URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    return encoded.matches("\\.{1,2}") ? encoded.replace(".", "%2E") : encoded;
  }

  @Override
  public String toString() {
    return query.isEmpty() ? path : path + "?" + query();
  }
}
