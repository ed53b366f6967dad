package dev.dibs.console;

import com.sun.net.httpserver.Headers;

/** What every answer tells the browser not to do. */
final class SafeHeaders {
  static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
          + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
          + "require-trusted-types-for 'script'; trusted-types dibs";

  private final boolean https;

  SafeHeaders(boolean https) {
    this.https = https;
  }

  void addTo(Headers headers) {
    headers.set("Content-Security-Policy", POLICY);
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("X-Frame-Options", "DENY");
    headers.set("Referrer-Policy", "same-origin");
    headers.set("Cross-Origin-Opener-Policy", "same-origin");
    headers.set("Cross-Origin-Resource-Policy", "same-origin");
    headers.set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()");
    headers.set("Cache-Control", "no-store");
    if (https) headers.set("Strict-Transport-Security", "max-age=31536000");
  }
}
