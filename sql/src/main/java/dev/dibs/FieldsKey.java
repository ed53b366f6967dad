package dev.dibs;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.StringNode;

/**
 * The unique key that fields of a payload make: the kind, and a digest of their values in one
 * spelling, whatever spelling they came in.
 */
final class FieldsKey {
  private static final int LONGEST_NUMBER = 1_000;

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNumberLength(LONGEST_NUMBER).build())
                  .build())
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private FieldsKey() {}

  static String of(String kind, String payload, List<String> fields) {
    JsonNode object = read(kind, payload);
    var text = new StringBuilder();
    for (String field : fields) {
      write(StringNode.valueOf(field), text);
      text.append(':');
      JsonNode value = object.get(field);
      if (value == null) throw absent(kind, field);
      write(value, text);
      text.append(',');
    }
    byte[] digest = sha256().digest(text.toString().getBytes(StandardCharsets.UTF_8));
    return kind + ":" + Base64.getUrlEncoder().withoutPadding().encodeToString(digest);
  }

  /** As null it would be the same key for all tasks, and all but one of them would be dropped. */
  private static PayloadException absent(String kind, String field) {
    return new PayloadException(
        "a payload of kind '%s' has no field '%s', which its unique key is made of; null is a value"
            .formatted(kind, field));
  }

  private static JsonNode read(String kind, String payload) {
    try {
      JsonNode node = JSON.readTree(payload);
      if (node.isObject()) return node;
    } catch (JacksonException e) {
      throw new PayloadException("the payload of kind '%s' is not valid JSON".formatted(kind));
    }
    throw new PayloadException(
        "a payload of kind '%s' is no JSON object, so its fields make no unique key"
            .formatted(kind));
  }

  /** Objects by their keys, numbers without the zeros that do not matter. */
  private static void write(JsonNode value, StringBuilder text) {
    if (value.isObject()) {
      var sorted = new TreeMap<String, JsonNode>();
      value.properties().forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
      text.append('{');
      sorted.forEach((name, member) -> {
        write(StringNode.valueOf(name), text);
        text.append(':');
        write(member, text);
        text.append(',');
      });
      text.append('}');
    } else if (value.isArray()) {
      text.append('[');
      for (JsonNode element : value.values()) {
        write(element, text);
        text.append(',');
      }
      text.append(']');
    } else if (value.isNumber()) {
      BigDecimal number = value.decimalValue();
      text.append(number.signum() == 0 ? "0" : number.stripTrailingZeros().toString());
    } else {
      text.append(value); // a string in quotes and escaped, a boolean or null
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
