package dev.dibs.console;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Random texts, and what is derived from them with a key that this process alone knows. */
final class Secrets {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int BYTES = 32;
  private static final String HMAC = "HmacSHA256";

  private final SecretKeySpec key = new SecretKeySpec(bytes(BYTES), HMAC);

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    RANDOM.nextBytes(bytes);
    return bytes;
  }

  /** 256 random bits. */
  static String random() {
    return text(bytes(BYTES));
  }

  /** Short, for people to read out. */
  static String requestId() {
    return HexFormat.of().formatHex(bytes(Integer.BYTES));
  }

  /** What only this process can say of the text; {@code use} keeps one use from serving another. */
  String sign(String use, String text) {
    try {
      Mac mac = Mac.getInstance(HMAC);
      mac.init(key);
      return text(mac.doFinal((use + "\n" + text).getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java has no " + HMAC, e);
    }
  }

  boolean isSigned(String use, String text, String signature) {
    return same(sign(use, text), signature);
  }

  /** Takes as long wherever they differ. */
  static boolean same(String one, String other) {
    return MessageDigest.isEqual(
        one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
  }

  static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java has no SHA-256", e);
    }
  }

  private static String text(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
