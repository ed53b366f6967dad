package dev.dibs.producer;

/** The size of text on the wire. */
final class Utf8 {
  private static final int MOST_BYTES_PER_CHAR = 3;

  private Utf8() {}

  /** Whether the text takes more than {@code bytes}; most texts are so short that none is read. */
  static boolean isLonger(String text, int bytes) {
    return text.length() > bytes / MOST_BYTES_PER_CHAR && length(text) > bytes;
  }

  /** How many bytes the text takes in UTF-8. */
  static int length(String text) {
    long bytes =
        text.codePoints().mapToLong(c -> c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4).sum();
    return Math.toIntExact(bytes);
  }
}
