package dev.dibs.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * A place in a YAML file, which may be empty.
 *
 * @param where for messages
 */
record Yaml(String where, @Nullable Object value) {
  private static final LoadSettings SETTINGS =
      LoadSettings.builder().setSchema(new org.snakeyaml.engine.v2.schema.CoreSchema()).build();

  static Yaml read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return new Yaml(file.getFileName().toString(), new Load(SETTINGS).loadFromInputStream(in));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What is below, by names with dots between. */
  Yaml at(String path) {
    Yaml here = this;
    for (String name : path.split("\\.", -1)) here = here.child(name);
    return here;
  }

  /** What has this name here, which may have dots. */
  Yaml child(String name) {
    return new Yaml(where + "/" + name, value instanceof Map<?, ?> map ? map.get(name) : null);
  }

  boolean isThere() {
    return value != null;
  }

  String text() {
    if (value == null) throw new AssertionError(where + " is missing");
    return value.toString();
  }

  int number() {
    return Integer.parseInt(text());
  }

  /** The elements of a list; none where there is none. */
  List<Yaml> items() {
    if (!(value instanceof List<?> list)) return List.of();
    return list.stream().map(item -> new Yaml(where + "/-", item)).toList();
  }

  /** The entries of a map as texts; none where there is none. */
  Map<String, String> texts() {
    Map<String, String> texts = new TreeMap<>();
    if (value instanceof Map<?, ?> map)
      map.forEach((key, text) -> texts.put(String.valueOf(key), String.valueOf(text)));
    return texts;
  }

  /** The values of a map. */
  List<Yaml> children() {
    return texts().keySet().stream().map(this::child).toList();
  }

  /** This place and all below it. */
  Stream<Yaml> all() {
    return Stream.concat(
        Stream.of(this), Stream.concat(items().stream(), children().stream()).flatMap(Yaml::all));
  }
}
