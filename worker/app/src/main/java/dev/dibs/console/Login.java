package dev.dibs.console;

import java.net.InetAddress;
import java.util.List;

/** How the console learns who is there. */
public sealed interface Login {
  /** Everybody who reaches it, which must be this machine alone, has this role. */
  record Local(Role role) implements Login {}

  /** A name and a password, asked for on a page. */
  record Passwords(Users users) implements Login {}

  /**
   * A proxy in front has asked; it says who it is in {@code X-Dibs-User} and {@code X-Dibs-Role}.
   *
   * @param addresses those of the proxy; what others say is not believed
   * @param secret what it sends in {@code X-Dibs-Proxy-Secret}
   */
  record Proxy(List<InetAddress> addresses, String secret) implements Login {
    private static final int SHORTEST_SECRET = 16;

    public Proxy {
      addresses = List.copyOf(addresses);
      if (addresses.isEmpty())
        throw new IllegalArgumentException("a proxy needs an address that it comes from");
      if (secret.length() < SHORTEST_SECRET)
        throw new IllegalArgumentException(
            "the secret of the proxy must have "
                + SHORTEST_SECRET
                + " characters or more, has "
                + secret.length());
    }

    /** Also where it came through a socket for IPv6, and by whichever interface. */
    boolean isAt(InetAddress from) {
      return addresses.contains(from);
    }

    /** Says nothing of the secret. */
    @Override
    public String toString() {
      return "Proxy" + addresses;
    }
  }
}
