package dev.dibs.console;

import java.util.List;

/**
 * Something that is switched off and on again by a person, for the template that asks first.
 *
 * @param what queue, kind, worker, schedule or bulk
 * @param key what finds it; empty: one that did not come to be
 * @param shown its name for people
 * @param word pause, resume, drain, undrain, run, retain or interrupt
 * @param effects what that means, a sentence each
 * @param needsWhy whether there must be a reason
 */
record Lever(
    String what, String key, String shown, String word, List<String> effects, boolean needsWhy) {
  /** "Pause queue mail". */
  String title() {
    String verb =
        switch (word) {
          case "pause" -> "Pause";
          case "resume" -> "Resume";
          case "drain" -> "Drain";
          case "run" -> "Run now:";
          case "retain" -> "Keep finished tasks of";
          case "interrupt" -> "Interrupt";
          default -> "Let work again:";
        };
    return verb + " " + what + " " + shown;
  }

  Url page() {
    return key.isEmpty() ? Url.of(place()) : Url.of(place(), key);
  }

  Url act() {
    return Url.of(place(), key, "act");
  }

  private String place() {
    return what.equals("bulk") ? what : what + "s";
  }
}
