package dev.dibs;

/** Makes text of unknown origin fit for PostgreSQL, which refuses NUL and lone surrogates. */
public final class Text {
  private Text() {}

  /**
   * The text with every NUL, other control character but tab and line feed, and lone surrogate
   * replaced by U+FFFD.
   */
  public static String storable(String text) {
    if (text.codePoints().allMatch(Text::isStorable)) return text;
    return text.codePoints()
        .map(c -> isStorable(c) ? c : 0xFFFD)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private static boolean isStorable(int codePoint) {
    if (codePoint == '\n' || codePoint == '\t' || codePoint == '\r') return true;
    boolean lone = codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
    return !lone && !Character.isISOControl(codePoint);
  }

  /**
   * At most {@code max} chars of the text, never half a surrogate pair; an ellipsis shows that some
   * are missing.
   */
  public static String cut(String text, int max) {
    if (text.length() <= max) return text;
    int end = Character.isHighSurrogate(text.charAt(max - 1)) ? max - 1 : max;
    return text.substring(0, end) + "…";
  }
}
