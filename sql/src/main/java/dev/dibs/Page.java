package dev.dibs;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * A part of a list, and where it goes on. Immutable.
 *
 * @param looked how many rows were looked at for it, which may be more than match
 * @param previous where to go back from, in lists that can; empty: this is the beginning, or there
 *     is no row to go back from
 * @param next where to go on; empty: the end was reached
 */
public record Page<T>(List<T> rows, int looked, Optional<Cursor> previous, Optional<Cursor> next) {
  public Page {
    rows = List.copyOf(rows);
  }

  /** Of a list that goes one way. */
  public Page(List<T> rows, int looked, Optional<Cursor> next) {
    this(rows, looked, Optional.empty(), next);
  }

  /** Whether there is nothing behind this page. */
  public boolean isLast() {
    return next.isEmpty();
  }

  /**
   * The last row that was looked at. It belongs to the list it came from, under the same filter.
   *
   * @param text letters, digits, - and _
   */
  public record Cursor(String text) {
    private static final String BETWEEN = "\u001f";

    /** The cursor of a row by the values it is ordered by. */
    public static Cursor of(List<String> keys) {
      byte[] joined = String.join(BETWEEN, keys).getBytes(StandardCharsets.UTF_8);
      return new Cursor(Base64.getUrlEncoder().withoutPadding().encodeToString(joined));
    }

    /**
     * The values it was made of.
     *
     * @throws IllegalArgumentException if it is no cursor, or one of so many values
     */
    public List<String> keys(int size) {
      byte[] joined;
      try {
        joined = Base64.getUrlDecoder().decode(text);
      } catch (IllegalArgumentException e) {
        throw refused();
      }
      var keys = List.of(new String(joined, StandardCharsets.UTF_8).split(BETWEEN, -1));
      if (keys.size() != size) throw refused();
      return keys;
    }

    /** What to throw where it does not belong to the list. */
    public IllegalArgumentException refused() {
      return new IllegalArgumentException(
          "'%s' is no cursor of this list; begin at its first page"
              .formatted(Text.cut(Text.storable(text), 40)));
    }
  }
}
