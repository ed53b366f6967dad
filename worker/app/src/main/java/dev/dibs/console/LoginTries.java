package dev.dibs.console;

import java.time.Duration;
import java.time.InstantSource;

/**
 * How often a name may be tried. Names of users and names that nobody has are counted alike, so
 * that the count does not say which are whose, and apart, so that no flood of the latter makes a
 * user's be forgotten or refused. What cannot be a name is not kept. Thread-safe.
 */
final class LoginTries {
  private static final int MOST = 10;
  private static final Duration WITHIN = Duration.ofMinutes(10);

  private final Throttle ofUsers;
  private final Throttle ofStrangers;

  LoginTries(InstantSource clock) {
    this.ofUsers = new Throttle(MOST, WITHIN, clock);
    this.ofStrangers = new Throttle(MOST, WITHIN, clock);
  }

  /** Counts one more, or refuses it. */
  boolean admit(Users users, String name) {
    if (!Users.isName(name)) return true; // it cannot fit
    return (users.have(name) ? ofUsers : ofStrangers).admits(name);
  }

  /** Who got in begins anew. */
  void forgive(String name) {
    ofUsers.forgive(name);
  }
}
