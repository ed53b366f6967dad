package dev.dibs;

import java.math.BigDecimal;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The codec that comes with Dibs. It refuses what jsonb refuses or silently changes: NUL and lone
 * surrogates, duplicate keys, numbers out of range, nesting deeper than 500.
 */
final class JacksonCodec implements Codec {
  static final JacksonCodec INSTANCE = new JacksonCodec();
  private static final int MAX_DEPTH = 500;
  private static final int MAX_NUMBER_LENGTH = 1_000;

  private final JsonMapper mapper =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxNumberLength(MAX_NUMBER_LENGTH)
                          .build())
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  /** What is read was stored as jsonb, which has no duplicate keys any more. */
  private final ClassValue<ObjectReader> readers =
      new ClassValue<>() {
        @Override
        protected ObjectReader computeValue(Class<?> type) {
          return mapper.readerFor(type).without(StreamReadFeature.STRICT_DUPLICATE_DETECTION);
        }
      };

  private JacksonCodec() {}

  @Override
  public String encode(Object payload) {
    String json;
    try {
      json = payload instanceof Json(String text) ? text : mapper.writeValueAsString(payload);
    } catch (JacksonException e) {
      throw new PayloadException(
          "a payload of %s cannot be written as JSON: %s"
              .formatted(payload.getClass().getName(), e.getOriginalMessage()));
    }
    check(json);
    return json;
  }

  /** Reads the text once, keeping nothing. The message names the place, never the text. */
  private void check(String json) {
    try (JsonParser parser = mapper.createParser(json)) {
      if (parser.nextToken() == null)
        throw new PayloadException("a payload must be one JSON value, was empty");
      JsonToken token = parser.currentToken();
      int depth = 0;
      while (token != null) {
        if (token.isStructStart()) depth++;
        if (token.isStructEnd()) depth--;
        refuse(unstorable(parser, token), parser);
        token = parser.nextToken();
        if (depth == 0 && token != null) refuse("more than one JSON value", parser);
      }
    } catch (StreamConstraintsException e) {
      throw new PayloadException("a payload exceeds a limit: " + e.getOriginalMessage());
    } catch (JacksonException e) {
      var at = e.getLocation();
      throw new PayloadException(
          at == null
              ? "a payload must be valid JSON and hold no key twice"
              : "a payload must be valid JSON and hold no key twice, but does not at line %d, column %d"
                  .formatted(at.getLineNr(), at.getColumnNr()));
    }
  }

  private static @Nullable String unstorable(JsonParser parser, JsonToken token) {
    return switch (token) {
      case PROPERTY_NAME, VALUE_STRING ->
          holdsUnstorable(parser.getString()) ? "NUL or a lone surrogate" : null;
      case VALUE_NUMBER_FLOAT ->
          isTooLongInFull(parser.getString()) ? "a number out of range" : null;
      default -> null;
    };
  }

  private static boolean holdsUnstorable(String text) {
    int i = 0;
    while (i < text.length()) {
      int c = text.codePointAt(i);
      if (c == 0 || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) return true;
      i += Character.charCount(c);
    }
    return false;
  }

  /** jsonb writes out what an exponent abbreviates, and could not be read again if that is long. */
  private static boolean isTooLongInFull(String number) {
    int e = Math.max(number.indexOf('e'), number.indexOf('E'));
    if (e < 0) return false;
    String exponent = number.substring(e + 1).replaceFirst("^[+-]?0*", "");
    if (exponent.length() > 3) return true;
    var value = new BigDecimal(number);
    int whole = Math.max(1, value.precision() - value.scale());
    int fraction = Math.max(0, value.scale());
    return whole + fraction + "-.".length() > MAX_NUMBER_LENGTH;
  }

  private static void refuse(@Nullable String what, JsonParser parser) {
    if (what == null) return;
    var at = parser.currentTokenLocation();
    throw new PayloadException(
        "a payload must not hold %s (line %d, column %d)"
            .formatted(what, at.getLineNr(), at.getColumnNr()));
  }

  @Override
  public <T> T decode(String json, Class<T> type) {
    if (type == Json.class) return type.cast(new Json(json));
    try {
      T payload = readers.get(type).readValue(json);
      if (payload == null)
        throw new PayloadException(
            "the payload is null, a %s was expected".formatted(type.getName()));
      return payload;
    } catch (JacksonException e) {
      throw new PayloadException(
          "the payload does not fit %s%s%s".formatted(type.getName(), place(e), wanted(e)));
    }
  }

  /** By names of the type alone: the keys of a map are the payload's. */
  private static String place(JacksonException e) {
    String path =
        e.getPath().stream()
            .takeWhile(step -> !isMap(step.from()))
            .map(step -> step.getPropertyName() == null ? "[]" : "." + step.getPropertyName())
            .collect(Collectors.joining());
    return path.isEmpty() ? "" : " at " + path.replaceFirst("^\\.", "");
  }

  private static boolean isMap(@Nullable Object from) {
    return from instanceof Map
        || (from instanceof Class<?> type && Map.class.isAssignableFrom(type));
  }

  private static String wanted(JacksonException e) {
    return e instanceof MismatchedInputException mismatch && mismatch.getTargetType() != null
        ? ", where " + mismatch.getTargetType().getSimpleName() + " is wanted"
        : "";
  }
}
