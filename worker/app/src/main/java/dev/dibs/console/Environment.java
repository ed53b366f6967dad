package dev.dibs.console;

import java.util.Locale;

/** Where this is, so that nobody takes one for another. */
record Environment(String name, Tone tone) {
  /** How loudly it says so. */
  enum Tone {
    PROD("#9b1c1c"),
    STAGING("#f2b84b"),
    TEST("#1a6334"),
    DEV("#3b4658");

    private final String colour;

    Tone(String colour) {
      this.colour = colour;
    }

    String colour() {
      return colour;
    }

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** A name that says nothing to us may well be production. */
  static Environment named(String name) {
    for (Tone tone : Tone.values()) {
      if (tone.word().equalsIgnoreCase(name)) return new Environment(name, tone);
    }
    return new Environment(name, Tone.PROD);
  }
}
