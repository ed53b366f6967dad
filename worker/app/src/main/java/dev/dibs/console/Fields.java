package dev.dibs.console;

import dev.dibs.Text;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The fields of a form, or the parameters of an address: few, short, in UTF-8. What is asked for
 * and unfit is refused with its name. Immutable.
 */
final class Fields {
  private static final int MOST = 240;
  private static final int LONGEST_FORM = 64 << 10;
  private static final String FORM = "application/x-www-form-urlencoded";

  private final Map<String, List<String>> values;

  private Fields(Map<String, List<String>> values) {
    this.values = values;
  }

  static Fields parse(@Nullable String encoded) {
    Map<String, List<String>> values = new LinkedHashMap<>();
    if (encoded == null || encoded.isEmpty()) return new Fields(values);
    String[] pairs = encoded.split("&", -1);
    if (pairs.length > MOST) throw Refusal.badRequest("More than " + MOST + " fields.");
    for (String pair : pairs) {
      int equals = pair.indexOf('=');
      String name = decoded(equals < 0 ? pair : pair.substring(0, equals));
      String value = equals < 0 ? "" : decoded(pair.substring(equals + 1));
      values.computeIfAbsent(name, key -> new ArrayList<>()).add(value);
    }
    return new Fields(values);
  }

  /** The form that a request carries. */
  static Fields form(@Nullable String type, InputStream body) throws IOException {
    if (type == null || !type.split(";", 2)[0].strip().equalsIgnoreCase(FORM))
      throw new Refusal(415, "Not a form", "Send " + FORM + ".");
    byte[] bytes = body.readNBytes(LONGEST_FORM + 1);
    if (bytes.length > LONGEST_FORM)
      throw new Refusal(413, "Too large", "A form has 64 KiB at most.");
    return parse(new String(bytes, StandardCharsets.ISO_8859_1));
  }

  private static String decoded(String text) {
    try {
      String decoded = URLDecoder.decode(text, StandardCharsets.UTF_8);
      if (decoded.indexOf('\uFFFD') >= 0 || decoded.indexOf('\0') >= 0)
        throw Refusal.badRequest("'" + Text.storable(decoded) + "' is not UTF-8 text.");
      return decoded;
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest("A % that stands for nothing; write it as %25.");
    }
  }

  /** Refuses every name but these, so that a mistyped filter is never left out in silence. */
  Fields only(Set<String> known) {
    for (String name : values.keySet()) {
      if (!known.contains(name))
        throw Refusal.badRequest(
            "There is no parameter '%s' here; there are %s."
                .formatted(
                    Text.storable(name), String.join(", ", known.stream().sorted().toList())));
    }
    return this;
  }

  /** The value, where there is one that is not blank. */
  Optional<String> text(String name) {
    List<String> found = values.getOrDefault(name, List.of());
    if (found.size() > 1) throw Refusal.badRequest("'" + name + "' is there more than once.");
    return found.stream().map(String::strip).filter(value -> !value.isEmpty()).findFirst();
  }

  Optional<String> text(String name, int longest) {
    Optional<String> value = text(name);
    if (value.isPresent() && value.get().length() > longest)
      throw Refusal.badRequest("'%s' has more than %d characters.".formatted(name, longest));
    return value;
  }

  String needed(String name) {
    return text(name).orElseThrow(() -> Refusal.badRequest("'" + name + "' is missing."));
  }

  List<String> all(String name) {
    return values.getOrDefault(name, List.of());
  }

  /** What {@code reading} makes of the value, which says no with an IllegalArgumentException. */
  <T> Optional<T> read(String name, Function<String, T> reading) {
    Optional<String> value = text(name);
    if (value.isEmpty()) return Optional.empty();
    try {
      return Optional.of(reading.apply(value.get()));
    } catch (IllegalArgumentException | java.time.DateTimeException e) {
      throw Refusal.badRequest(
          "'%s' cannot be '%s'.".formatted(name, Text.storable(shortened(value.get()))));
    }
  }

  /** One of these words, else the first of them. */
  String oneOf(String name, List<String> words) {
    String value = text(name).orElse(words.getFirst());
    if (!words.contains(value))
      throw Refusal.badRequest(
          "'%s' is one of %s, was '%s'."
              .formatted(name, String.join(", ", words), Text.storable(shortened(value))));
    return value;
  }

  Optional<UUID> id(String name) {
    return read(name, Fields::uuid);
  }

  /** A UUID as we write them; Java's own reading lets through much that is none. */
  static UUID uuid(String text) {
    UUID id = UUID.fromString(text);
    if (!id.toString().equalsIgnoreCase(text)) throw new IllegalArgumentException(text);
    return id;
  }

  private static String shortened(String value) {
    return value.length() <= 60 ? value : value.substring(0, 60) + "…";
  }
}
