package dev.dibs.app;

import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * Who may enqueue into what. The token itself is not known here, only its hash.
 *
 * @param sha256 64 hexadecimal digits
 * @param queues by name; {@code *} is all of them
 * @param rate requests, where they are limited
 */
record Token(String name, String sha256, List<String> queues, Optional<Rate> rate) {
  private static final String ALL = "*";

  /** Who came in where no tokens are asked for. */
  static final Token NONE = new Token("nobody", "0".repeat(64), List.of(ALL), Optional.empty());

  Token {
    if (name.isBlank() || name.length() > 64)
      throw new IllegalArgumentException("a token's name must have 1 to 64 characters");
    if (!sha256.matches("[0-9a-fA-F]{64}"))
      throw new IllegalArgumentException(
          "sha256 must be the token's SHA-256 in 64 hexadecimal digits");
    if (queues.isEmpty())
      throw new IllegalArgumentException("queues must name at least one queue, or be [\"*\"]");
    queues = List.copyOf(queues);
  }

  /** Takes as long whether it is or not. */
  boolean is(byte[] hash) {
    return MessageDigest.isEqual(HexFormat.of().parseHex(sha256), hash);
  }

  boolean covers(String queue) {
    return queues.contains(ALL) || queues.contains(queue);
  }

  /** Zero: a request may come now; else after so long. */
  Duration untilAllowed() {
    return rate.map(Rate::take).orElse(Duration.ZERO);
  }
}
