package dev.dibs.app;

import dev.dibs.Json;
import dev.dibs.PayloadException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The payload of a built-in kind: a JSON object, read field by field. Immutable.
 *
 * <p>A field that is null counts as absent; unknown ones are ignored. Messages name fields, never
 * what they hold.
 */
final class PayloadFields {
  private static final int LONGEST_NUMBER = 5_000; // jsonb writes exponents out
  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNumberLength(LONGEST_NUMBER).build())
                  .build())
          .enable(
              DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS) // no number may change on its way
          .build();

  private final JsonNode object;

  private PayloadFields(JsonNode object) {
    this.object = object;
  }

  /**
   * The fields of a payload.
   *
   * @throws PayloadException if it is no object
   */
  static PayloadFields of(Json payload) {
    try {
      JsonNode node = JSON.readTree(payload.text());
      if (node.isObject()) return new PayloadFields(node);
      throw new PayloadException("the payload must be a JSON object");
    } catch (JacksonException e) {
      throw new PayloadException("the payload cannot be read: " + e.getClass().getSimpleName());
    }
  }

  Optional<JsonNode> value(String field) {
    return Optional.ofNullable(object.get(field)).filter(value -> !value.isNull());
  }

  Optional<String> text(String field) {
    return value(field).map(value -> string(value, field));
  }

  /** The elements of an array of strings; none where the field is absent. */
  List<String> texts(String field) {
    Optional<JsonNode> array = value(field);
    if (array.isEmpty()) return List.of();
    if (!array.get().isArray())
      throw new PayloadException("the payload's " + field + " must be an array of strings");
    return array.get().values().stream()
        .map(element -> string(element, field + " elements"))
        .toList();
  }

  /** The fields of an object of strings; none where the field is absent. */
  Map<String, String> textsByName(String field) {
    Map<String, String> texts = new LinkedHashMap<>();
    Optional<JsonNode> value = value(field);
    if (value.isPresent() && !value.get().isObject()) {
      throw new PayloadException("the payload's " + field + " must be an object of strings");
    }
    value.ifPresent(object ->
        object
            .properties()
            .forEach(
                entry -> texts.put(entry.getKey(), string(entry.getValue(), field + " values"))));
    return texts;
  }

  /** A string as it is, anything else as JSON. */
  static String plain(JsonNode value) {
    return value.isString() ? value.stringValue() : value.toString();
  }

  private static String string(JsonNode value, String what) {
    if (value.isString()) return value.stringValue();
    throw new PayloadException("the payload's " + what + " must be a string");
  }
}
