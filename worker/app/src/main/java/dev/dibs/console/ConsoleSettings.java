package dev.dibs.console;

import java.net.InetSocketAddress;

/**
 * Where the console listens and what it lets people do.
 *
 * @param address loopback, unless the login asks who is there
 * @param https whether browsers reach it over https, through a proxy; then cookies say so
 * @param environment its name, on every page; prod, staging, test and dev have colours
 * @param readOnly whether nobody may change anything
 * @param version of the program, for the foot of the page
 */
public record ConsoleSettings(
    InetSocketAddress address,
    boolean https,
    Login login,
    String environment,
    boolean readOnly,
    String version) {
  private static final int LONGEST_ENVIRONMENT = 24;

  public ConsoleSettings {
    if (login instanceof Login.Local && !address.getAddress().isLoopbackAddress())
      throw new IllegalArgumentException(
          address.getHostString() + " lets others in and nobody is asked who they are");
    if (environment.isBlank() || environment.length() > LONGEST_ENVIRONMENT)
      throw new IllegalArgumentException(
          "an environment has a name of 1 to %d characters, was '%s'"
              .formatted(LONGEST_ENVIRONMENT, environment));
  }

  /** Beyond this machine a cookie without Secure would be read on the way. */
  boolean securesCookies() {
    return https || !address.getAddress().isLoopbackAddress();
  }
}
