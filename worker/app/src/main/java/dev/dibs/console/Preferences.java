package dev.dibs.console;

import java.time.DateTimeException;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;

/**
 * What a person likes to see, kept in a cookie of their browser.
 *
 * @param theme system, light or dark
 * @param zone in which times are shown; absent until the browser has told its own
 * @param absolute whether times are shown as such, and not as how long ago
 * @param keys whether single keys do something
 */
record Preferences(String theme, Optional<ZoneId> zone, boolean absolute, boolean keys) {
  static final List<String> THEMES = List.of("system", "light", "dark");
  static final Preferences DEFAULT = new Preferences("system", Optional.empty(), false, true);

  /** Reads the cookie; what it does not understand is as if it were not there. */
  static Preferences parse(String cookie) {
    String[] parts = cookie.split("~", -1);
    if (parts.length != 4 || !THEMES.contains(parts[0])) return DEFAULT;
    return new Preferences(
        parts[0], zone(parts[1]), parts[2].equals("abs"), !parts[3].equals("off"));
  }

  static Optional<ZoneId> zone(String name) {
    try {
      return name.isEmpty() ? Optional.empty() : Optional.of(ZoneId.of(name));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  ZoneId zoneOrUtc() {
    return zone.orElse(ZoneOffset.UTC);
  }

  /** For the cookie. */
  @Override
  public String toString() {
    return String.join(
        "~",
        theme,
        zone.map(ZoneId::getId).orElse(""),
        absolute ? "abs" : "rel",
        keys ? "on" : "off");
  }
}
