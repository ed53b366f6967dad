package dev.dibs.testing;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.NullMarked;

/**
 * Texts, JSON, waits and times of the kinds that break things, drawn from a seed: the same seed
 * draws the same. {@code -Ddibs.odd.seed} draws others, {@code -Ddibs.odd.rounds} more of them. Not
 * thread-safe.
 */
@NullMarked
public final class OddInputs {
  private static final List<String> PIECES =
      List.of(
          "",
          " ",
          "a",
          "\0",
          "\u0001",
          "\u007f",
          "\u0085",
          "\u00ff",
          "\ufeff",
          "\uffff",
          "\u202e",
          "\ud800",
          "\udc00\ud800",
          "\ud83d\ude00",
          "i\u0307\u0130",
          "\r\n\t",
          "'",
          "\"",
          "\\",
          "\\u0000",
          "\\ud800",
          "'; drop table dibs.task; --",
          "\" ; drop schema dibs cascade; --",
          "$1",
          "$$",
          "?",
          "??",
          "{0}",
          "{}",
          "@@ids",
          "%s%n",
          "${jndi:ldap://x}",
          ":name",
          "/*",
          "*/",
          "\\.",
          "\\N",
          "null",
          "NaN",
          "]}",
          "<script>alert(1)</script>",
          "../../etc/passwd");

  private static final List<String> JSON =
      List.of(
          "",
          " ",
          "null",
          "true",
          "nul",
          "-",
          "-0",
          "01",
          ".5",
          "1.",
          "+1",
          "NaN",
          "Infinity",
          "0x1",
          "1e10",
          "1E-10",
          "1e999",
          "1e1000",
          "-1e1000",
          "1e-1000",
          "1e1001",
          "1e200000",
          "1e99999999999",
          "1e-200000",
          "123456789e998",
          "[1 2]",
          "[1,]",
          "1 2",
          "{\"a\":1,\"a\":2}",
          "{\"a\":1,\"\\u0061\":2}",
          "{a:1}",
          "{'a':1}",
          "// x\n1",
          "\ufeff1",
          "\"\\u0000\"",
          "{\"\\u0000\":1}",
          "\"\\ud800\"",
          "\"\\ude00\\ud83d\"",
          "\"\\ud83d\\ude00\"",
          "\"\\x\"",
          "\"\n\"",
          "\"open",
          "[",
          "]",
          "{\"@class\":\"java.lang.ProcessBuilder\"}");

  private static final List<Duration> DURATIONS =
      List.of(
          Duration.ZERO,
          Duration.ofNanos(1),
          Duration.ofNanos(-1),
          Duration.ofMillis(1),
          Duration.ofSeconds(1),
          Duration.ofSeconds(-1),
          Duration.ofDays(365),
          Duration.ofDays(365).plusNanos(1),
          Duration.ofDays(36_000),
          Duration.ofDays(36_001),
          Duration.ofDays(36_525),
          Duration.ofDays(36_526),
          Duration.ofDays(-3_652),
          Duration.ofMillis(Long.MAX_VALUE),
          Duration.ofNanos(Long.MAX_VALUE),
          Duration.ofSeconds(Long.MAX_VALUE),
          Duration.ofSeconds(Long.MAX_VALUE, 999_999_999),
          Duration.ofSeconds(Long.MIN_VALUE));

  private static final List<Instant> INSTANTS =
      List.of(
          Instant.MIN,
          Instant.MAX,
          Instant.EPOCH,
          Instant.EPOCH.minusNanos(1),
          Instant.parse("0000-01-01T00:00:00Z"),
          Instant.parse("-4713-11-24T00:00:00Z"),
          Instant.parse("2038-01-19T03:14:08Z"),
          Instant.parse("9999-12-31T23:59:59Z"),
          Instant.parse("9999-12-31T23:59:59.000001Z"),
          Instant.parse("+294277-01-01T00:00:00Z"),
          Instant.ofEpochMilli(Long.MAX_VALUE),
          Instant.ofEpochMilli(Long.MIN_VALUE));

  private static final int[] LENGTHS = {1, 62, 63, 64, 127, 128, 129, 8_000, 8_191, 8_192, 8_193};

  private final long seed;
  private final Random random;

  public OddInputs() {
    this.seed = Long.getLong("dibs.odd.seed", 42L);
    this.random = new Random(seed);
  }

  /** How many to draw: so many, or as many as the property says. */
  public static int rounds(int usual) {
    return Integer.getInteger("dibs.odd.rounds", usual);
  }

  /** Ten million characters. */
  public static String tenMillion() {
    return "ä\u2028x🙂 ".repeat(1_666_667);
  }

  /** A JSON value within {@code depth} arrays. */
  public static String nested(int depth) {
    return "[".repeat(depth) + "]".repeat(depth);
  }

  public boolean flips() {
    return random.nextBoolean();
  }

  public int below(int bound) {
    return random.nextInt(bound);
  }

  public <T> T oneOf(List<T> all) {
    return all.get(random.nextInt(all.size()));
  }

  /** A few odd pieces in a row, now and then as long as something that has a limit. */
  public String text() {
    var text = new StringBuilder();
    for (int i = random.nextInt(5); i >= 0; i--) text.append(oneOf(PIECES));
    if (random.nextInt(4) > 0) return text.toString();
    String filler = oneOf(List.of("x", "ä", "🙂", "'", "\\", "\""));
    return text + filler.repeat(LENGTHS[random.nextInt(LENGTHS.length)]);
  }

  /** JSON, or nearly. */
  public String json() {
    return switch (random.nextInt(8)) {
      case 0 -> '"' + text() + '"';
      case 1 -> "{\"" + text() + "\": [" + oneOf(JSON) + ", " + oneOf(JSON) + "]}";
      case 2 -> nested(oneOf(List.of(1, 499, 500, 501, 100_000)));
      case 3 ->
          "["
              + oneOf(List.of("9", "-9", "0."))
              + "9".repeat(oneOf(List.of(15, 400, 997, 1_000)))
              + "]";
      case 4 -> "[0." + "1".repeat(300) + "e" + (random.nextInt(2_400) - 1_200) + "]";
      default -> oneOf(JSON);
    };
  }

  public Duration duration() {
    return oneOf(DURATIONS);
  }

  public Instant instant() {
    return oneOf(INSTANTS);
  }

  public int number() {
    return oneOf(List.of(Integer.MIN_VALUE, -1, 0, 1, 25, Short.MAX_VALUE + 1, Integer.MAX_VALUE));
  }

  public Map<String, String> texts() {
    Map<String, String> texts = new LinkedHashMap<>();
    for (int i = random.nextInt(4); i > 0; i--) texts.put(text(), text());
    return texts;
  }

  /** The seed, so that a failure can be repeated. */
  @Override
  public String toString() {
    return "-Ddibs.odd.seed=" + seed;
  }
}
