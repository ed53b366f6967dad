package dev.dibs.producer;

/** The size of text on the wire. */
final class Utf8 {
  private Utf8() {}

  /** How many bytes the text takes in UTF-8. */
  static int length(String text) {
    long bytes =
        text.codePoints().mapToLong(c -> c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4).sum();
    return Math.toIntExact(bytes);
  }
}
