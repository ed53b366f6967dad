package dev.dibs.app;

import dev.dibs.Misfire;
import dev.dibs.Overlap;
import dev.dibs.Priority;
import dev.dibs.Text;
import dev.dibs.sql.Schema;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeParseException;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Teaches the command line the types of Dibs; their own messages are what the user reads. */
final class Converters {
  private static final Pattern UUID_TEXT =
      Pattern.compile("(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

  private Converters() {}

  static void register(CommandLine commands) {
    commands.registerConverter(Schema.class, saying(Schema::new));
    commands.registerConverter(Priority.class, saying(Priority::parse));
    commands.registerConverter(Duration.class, saying(DurationText::parse));
    commands.registerConverter(Instant.class, saying(Converters::instant));
    commands.registerConverter(ZoneId.class, saying(Converters::zone));
    commands.registerConverter(Misfire.class, saying(Misfire::parse));
    commands.registerConverter(Overlap.class, saying(Overlap::parse));
    commands.registerConverter(UUID.class, saying(Converters::uuid));
    commands.registerConverter(QueueShare.class, saying(QueueShare::parse));
    commands.registerConverter(LogFormat.class, saying(LogFormat::parse));
    commands.registerConverter(HttpUrl.class, saying(HttpUrl::prefix));
  }

  /**
   * An instant such as 2030-01-31T02:30:00Z or 2030-01-31T02:30:00+01:00.
   *
   * @throws IllegalArgumentException if the text is none
   */
  static Instant instant(String text) {
    try {
      return OffsetDateTime.parse(text).toInstant();
    } catch (DateTimeParseException e) {
      throw new IllegalArgumentException(
          "a run time must be an instant like 2030-01-31T02:30:00Z, was '"
              + Text.storable(text)
              + "'");
    }
  }

  /**
   * The id of a task, in full.
   *
   * @throws IllegalArgumentException if the text is none; Java would take fewer digits
   */
  private static UUID uuid(String text) {
    if (!UUID_TEXT.matcher(text).matches())
      throw new IllegalArgumentException(
          "an id must be like 0198c0de-5a3c-7b1e-9f00-3c2f1d5e7a90, was '"
              + Text.cut(Text.storable(text), 60)
              + "'");
    return UUID.fromString(text);
  }

  /**
   * A zone such as Europe/Berlin.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  private static ZoneId zone(String text) {
    try {
      return ZoneId.of(text);
    } catch (DateTimeException e) {
      throw new IllegalArgumentException(
          "a zone must be like Europe/Berlin or UTC, was '"
              + Text.cut(Text.storable(text), 40)
              + "'");
    }
  }

  private static <T> ITypeConverter<T> saying(Function<String, T> read) {
    return text -> {
      try {
        return read.apply(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    };
  }
}
