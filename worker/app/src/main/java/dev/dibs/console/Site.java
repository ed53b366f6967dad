package dev.dibs.console;

import java.time.Instant;
import java.time.InstantSource;
import java.util.function.Supplier;

/** What all pages of a console share. */
record Site(
    ConsoleSettings settings,
    Assets assets,
    Gate gate,
    Supplier<Situation> situations,
    InstantSource clock) {
  Frame frame(Visit visit, String title) {
    Situation situation = situations.get();
    return new Frame(title, visit, this, situation, now(situation));
  }

  /** By the clock of the database. */
  private Instant now(Situation situation) {
    return clock.instant().plus(situation.ahead());
  }
}
