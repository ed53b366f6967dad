package dev.dibs.app;

import dev.dibs.DibsException;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Priority;
import dev.dibs.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads one line of a task file: a JSON object such as {@code
 * {"kind":"mail","payload":{"to":7},"delay":"5m"}}.
 *
 * <p>The payload's text is taken as it stands, so that no number changes. Messages never show it.
 * Immutable.
 */
final class TaskLine {
  private static final String FIELDS =
      "kind, payload, queue, priority, delay, runAt, maxAttempts, timeout, headers, uniqueKey, uniqueBy, uniqueUntil,"
          + " uniqueWindow, onConflict";
  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .build();

  private static final Pattern UUID_7 =
      Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");

  private final NewTask<Json> defaults;
  private final UniqueOptions uniqueDefaults;
  private final boolean kindIsGiven;
  private final boolean idIsTaken;

  /**
   * Reads lines that need only say what differs from {@code defaults}; the kind too where it is
   * given.
   */
  TaskLine(NewTask<Json> defaults, UniqueOptions uniqueDefaults, boolean kindIsGiven) {
    this(defaults, uniqueDefaults, kindIsGiven, false);
  }

  private TaskLine(
      NewTask<Json> defaults,
      UniqueOptions uniqueDefaults,
      boolean kindIsGiven,
      boolean idIsTaken) {
    this.defaults = defaults;
    this.uniqueDefaults = uniqueDefaults;
    this.kindIsGiven = kindIsGiven;
    this.idIsTaken = idIsTaken;
  }

  /** Reads lines that may have an id too: who says the same again gives the same one. */
  TaskLine takingIds() {
    return new TaskLine(defaults, uniqueDefaults, kindIsGiven, true);
  }

  /**
   * The task that a line means.
   *
   * @throws DibsException if it means none, with the reason
   */
  NewTask<Json> parse(String line) {
    try (JsonParser parser = JSON.createParser(line)) {
      if (parser.nextToken() != JsonToken.START_OBJECT)
        throw new DibsException("must be a JSON object with a kind");
      NewTask<Json> task = object(parser, line);
      if (parser.nextToken() != null) throw new DibsException("holds more than one JSON object");
      return task;
    } catch (JacksonException e) {
      TokenStreamLocation at = e.getLocation();
      throw new DibsException(
          "is not valid JSON" + (at == null ? "" : " (column " + at.getColumnNr() + ")"));
    } catch (IllegalArgumentException e) {
      throw new DibsException(String.valueOf(e.getMessage()), e);
    }
  }

  private NewTask<Json> object(JsonParser parser, String line) {
    NewTask<Json> task = defaults;
    @Nullable String kind = kindIsGiven ? defaults.kind().name() : null;
    @Nullable UUID id = null;
    boolean delayed = false;
    UniqueOptions unique = uniqueDefaults.copy();
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String field = parser.currentName();
      parser.nextToken();
      boolean delays = field.equals("delay") || field.equals("runAt");
      if (delays && delayed) throw new DibsException("has both delay and runAt; give one");
      delayed |= delays;
      if (field.equals("kind")) kind = text(parser, field);
      else if (field.equals("id") && idIsTaken) id = uuid7(text(parser, field));
      else if (!isOfUnique(unique, field, parser)) task = with(task, field, parser, line);
    }
    if (kind == null) throw new DibsException("has no kind");
    NewTask<Json> fresh = Kind.json(kind).task(task.payload());
    return new NewTask<>(
        id == null ? fresh.id() : id,
        fresh.kind(),
        fresh.payload(),
        task.options().withUnique(unique.unique()));
  }

  /** Takes what makes the task unique; answers whether the field was of that. */
  private static boolean isOfUnique(UniqueOptions unique, String field, JsonParser parser) {
    switch (field) {
      case "uniqueKey" -> {
        unique.key = text(parser, field);
        unique.fields = List.of();
      }
      case "uniqueBy" -> {
        unique.fields = texts(parser, field);
        unique.key = null;
      }
      case "uniqueUntil" -> unique.until = text(parser, field);
      case "uniqueWindow" -> unique.window = DurationText.parse(text(parser, field));
      case "onConflict" -> unique.onConflict = text(parser, field);
      default -> {
        return false;
      }
    }
    return true;
  }

  private static List<String> texts(JsonParser parser, String field) {
    if (parser.currentToken() != JsonToken.START_ARRAY)
      throw new DibsException(field + " must be an array of strings");
    List<String> texts = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) texts.add(text(parser, field));
    return texts;
  }

  private NewTask<Json> with(NewTask<Json> task, String field, JsonParser parser, String line) {
    return switch (field) {
      case "payload" ->
          new NewTask<>(task.id(), task.kind(), payload(parser, line), task.options());
      case "queue" -> task.queue(text(parser, field));
      case "priority" -> task.priority(priority(parser));
      case "delay" -> task.delay(DurationText.parse(text(parser, field)));
      case "runAt" -> task.runAt(Converters.instant(text(parser, field)));
      case "maxAttempts" -> task.maxAttempts(number(parser, field));
      case "timeout" -> task.timeout(DurationText.parse(text(parser, field)));
      case "headers" -> withHeaders(task, parser);
      default ->
          throw new DibsException(
              "has an unknown field '"
                  + Text.cut(Text.storable(field), 40)
                  + "'; known are "
                  + (idIsTaken ? "id, " : "")
                  + FIELDS);
    };
  }

  private static UUID uuid7(String text) {
    String id = text.toLowerCase(Locale.ROOT);
    if (UUID_7.matcher(id).matches()) return UUID.fromString(id);
    throw new DibsException(
        "id must be a UUID of version 7, was '" + Text.cut(Text.storable(text), 40) + "'");
  }

  private static Json payload(JsonParser parser, String line) {
    long start = parser.currentTokenLocation().getCharOffset();
    parser.skipChildren();
    if (parser.currentToken() == JsonToken.VALUE_STRING)
      parser.getStringLength(); // strings are read lazily
    long end = parser.currentLocation().getCharOffset();
    return new Json(line.substring(Math.toIntExact(start), Math.toIntExact(end)));
  }

  private static Priority priority(JsonParser parser) {
    return parser.currentToken() == JsonToken.VALUE_NUMBER_INT
        ? Priority.ofLevel(number(parser, "priority"))
        : Priority.parse(text(parser, "priority"));
  }

  private static NewTask<Json> withHeaders(NewTask<Json> task, JsonParser parser) {
    if (parser.currentToken() != JsonToken.START_OBJECT)
      throw new DibsException("headers must be an object of strings");
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      task = task.header(name, text(parser, "a header"));
    }
    return task;
  }

  private static String text(JsonParser parser, String field) {
    if (parser.currentToken() != JsonToken.VALUE_STRING)
      throw new DibsException(field + " must be a string");
    return parser.getString();
  }

  private static int number(JsonParser parser, String field) {
    if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
        || parser.getNumberType() != JsonParser.NumberType.INT) {
      throw new DibsException(field + " must be a whole number");
    }
    return parser.getIntValue();
  }
}
