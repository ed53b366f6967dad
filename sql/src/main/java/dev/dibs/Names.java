package dev.dibs;

/** The rule for names of queues and kinds. */
final class Names {
  private static final int MAX_LENGTH = 128;

  private Names() {}

  static String check(String what, String name) {
    if (name.isEmpty() || name.codePointCount(0, name.length()) > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "a %s name must have 1 to %d characters, '%s' has %d"
              .formatted(
                  what,
                  MAX_LENGTH,
                  Text.cut(Text.storable(name), 40),
                  name.codePointCount(0, name.length())));
    }
    if (name.chars().anyMatch(Character::isISOControl) || !Text.storable(name).equals(name)) {
      throw new IllegalArgumentException(
          "a %s name must not hold control characters or lone surrogates: '%s'"
              .formatted(what, Text.storable(name)));
    }
    return name;
  }
}
