package dev.dibs.console;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.concurrent.Semaphore;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * A password as it is kept: {@code pbkdf2-sha256$ITERATIONS$SALT$HASH}. Immutable. Source: OWASP,
 * "Password Storage Cheat Sheet", PBKDF2.
 */
final class Password {
  private static final int ITERATIONS = 600_000;
  private static final int FEWEST = 100_000;
  private static final int MOST = 10_000_000;
  private static final int BYTES = 32;
  private static final int SHORTEST = 10;
  private static final int LONGEST = 256;
  private static final Pattern KEPT =
      Pattern.compile("pbkdf2-sha256\\$(\\d{1,9})\\$([A-Za-z0-9_-]+)\\$([A-Za-z0-9_-]+)");

  /** Hashing is what an attacker would keep our processors busy with. */
  private static final Semaphore TWO_AT_ONCE = new Semaphore(2);

  private final int iterations;
  private final byte[] salt;
  private final byte[] hash;

  private Password(int iterations, byte[] salt, byte[] hash) {
    this.iterations = iterations;
    this.salt = salt;
    this.hash = hash;
  }

  /** The password with a salt of its own. */
  static Password of(String password) {
    if (password.length() < SHORTEST || password.length() > LONGEST)
      throw new IllegalArgumentException(
          "a password has %d to %d characters, this has %d"
              .formatted(SHORTEST, LONGEST, password.length()));
    byte[] salt = new byte[BYTES / 2];
    new SecureRandom().nextBytes(salt);
    return new Password(ITERATIONS, salt, hash(password, salt, ITERATIONS));
  }

  /** Reads what {@link #toString} wrote. */
  static Password parse(String kept) {
    Matcher matcher = KEPT.matcher(kept);
    if (!matcher.matches())
      throw new IllegalArgumentException(
          "the hash is not like pbkdf2-sha256$%d$SALT$HASH".formatted(ITERATIONS));
    int iterations = Integer.parseInt(matcher.group(1));
    if (iterations < FEWEST || iterations > MOST)
      throw new IllegalArgumentException(
          "a hash takes %d to %d iterations, has %d".formatted(FEWEST, MOST, iterations));
    return new Password(
        iterations,
        Base64.getUrlDecoder().decode(matcher.group(2)),
        Base64.getUrlDecoder().decode(matcher.group(3)));
  }

  /** Takes its time for every password, also for one that is too long to be it. */
  boolean is(String password) {
    String begin = password.substring(0, Math.min(LONGEST, password.length()));
    boolean fits = MessageDigest.isEqual(hash, hash(begin, salt, iterations));
    return fits && password.length() <= LONGEST;
  }

  private static byte[] hash(String password, byte[] salt, int iterations) {
    var spec = new PBEKeySpec(password.toCharArray(), salt, iterations, BYTES * Byte.SIZE);
    TWO_AT_ONCE.acquireUninterruptibly();
    try {
      return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java has no PBKDF2", e);
    } finally {
      TWO_AT_ONCE.release();
      spec.clearPassword();
    }
  }

  @Override
  public String toString() {
    var base64 = Base64.getUrlEncoder().withoutPadding();
    return "pbkdf2-sha256$%d$%s$%s"
        .formatted(iterations, base64.encodeToString(salt), base64.encodeToString(hash));
  }
}
