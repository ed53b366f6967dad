package dev.dibs;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/**
 * What becomes of ticks that passed while nobody was there to see them: every worker was down, or
 * the database. Immutable.
 */
public sealed interface Misfire {
  /** A tick counts as missed when it is later than this. */
  Duration GRACE = Duration.ofMinutes(1);

  /**
   * Which ticks are to run now, the oldest first.
   *
   * @param first the first tick that was not decided yet; it is due
   */
  List<Instant> runs(Rhythm rhythm, Instant first, Instant now);

  /** The word for it on the command line and in logs: what {@link #parse} reads. */
  String text();

  /**
   * The policy called {@code skip}, {@code once} or, as {@code catch-up:5}, the last five.
   *
   * @throws IllegalArgumentException if there is none
   */
  static Misfire parse(String text) {
    String word = text.toLowerCase(Locale.ROOT);
    if (word.equals("skip")) return new Skip();
    if (word.equals("once")) return new Once();
    if (word.matches("catch-up:[0-9]{1,6}"))
      return new CatchUp(Integer.parseInt(word.substring("catch-up:".length())));
    throw new IllegalArgumentException(
        "misfire must be skip, once or catch-up:N, was '"
            + Text.cut(Text.storable(text), 40)
            + "'");
  }

  /** What was missed never runs. */
  record Skip() implements Misfire {
    @Override
    public List<Instant> runs(Rhythm rhythm, Instant first, Instant now) {
      List<Instant> last = rhythm.latest(first, now, 1);
      return last.getFirst().isBefore(now.minus(GRACE)) ? List.of() : last;
    }

    @Override
    public String text() {
      return "skip";
    }
  }

  /** However many were missed, one run makes up for them: the last one's. */
  record Once() implements Misfire {
    @Override
    public List<Instant> runs(Rhythm rhythm, Instant first, Instant now) {
      return rhythm.latest(first, now, 1);
    }

    @Override
    public String text() {
      return "once";
    }
  }

  /**
   * The last ones run, each by itself.
   *
   * @param most 1 to 1,000
   */
  record CatchUp(int most) implements Misfire {
    private static final int MOST = 1_000;

    public CatchUp {
      if (most < 1 || most > MOST)
        throw new IllegalArgumentException(
            "catch-up must be between 1 and %d ticks, was %d".formatted(MOST, most));
    }

    @Override
    public List<Instant> runs(Rhythm rhythm, Instant first, Instant now) {
      return rhythm.latest(first, now, most);
    }

    @Override
    public String text() {
      return "catch-up:" + most;
    }
  }
}
