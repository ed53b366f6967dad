package dev.dibs.app;

import dev.dibs.Text;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A URL in the parts that an allow-list compares. Immutable.
 *
 * <p>What two programs may read in two ways is refused rather than understood: user info, which
 * looks like a host, and dot segments in any spelling, which leave the path they begin with.
 *
 * @param origin scheme, host in lower case, and port, which is always there
 * @param path as written; at least a slash
 */
record HttpUrl(URI uri, String origin, String path) {
  private static final Pattern DOT = Pattern.compile("%2e", Pattern.CASE_INSENSITIVE);
  private static final Pattern SEPARATOR =
      Pattern.compile("/|\\\\|%2f|%5c", Pattern.CASE_INSENSITIVE);
  private static final Pattern PARAMETERS =
      Pattern.compile("(;|%3b).*", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
  private static final int HTTP = 80;
  private static final int HTTPS = 443;
  private static final int LAST_PORT = 65_535;

  /**
   * Reads a URL.
   *
   * @throws IllegalArgumentException if it is none that can be called; the message does not show it
   */
  static HttpUrl parse(String text) {
    URI uri = uri(text);
    if (uri.getRawUserInfo() != null)
      throw new IllegalArgumentException("must hold no user and password");
    String host = uri.getHost();
    if (host == null) throw new IllegalArgumentException("has no valid host");
    String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
    if (SEPARATOR.splitAsStream(path).anyMatch(HttpUrl::leaves)) {
      throw new IllegalArgumentException("must hold no . or .. in its path");
    }
    String scheme = uri.getScheme().toLowerCase(Locale.ROOT);
    return new HttpUrl(
        uri, scheme + "://" + host.toLowerCase(Locale.ROOT) + ":" + port(uri, scheme), path);
  }

  private static URI uri(String text) {
    try {
      URI uri = new URI(new URI(text).toASCIIString());
      String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
      if (!uri.isOpaque() && (scheme.equals("http") || scheme.equals("https"))) return uri;
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("is no valid URL", e);
    }
    throw new IllegalArgumentException("must begin with http:// or https://");
  }

  private static int port(URI uri, String scheme) {
    int port = uri.getPort();
    if (port == 0 || port > LAST_PORT)
      throw new IllegalArgumentException("must have a port from 1 to 65535");
    if (port > 0) return port;
    return scheme.equals("https") ? HTTPS : HTTP;
  }

  /** Some servers take {@code ..;x} and {@code %2e%2e} for {@code ..}. */
  private static boolean leaves(String segment) {
    String plain = PARAMETERS.matcher(DOT.matcher(segment).replaceAll(".")).replaceFirst("");
    return plain.equals(".") || plain.equals("..");
  }

  /**
   * Reads what {@code --http-allow} names: a URL without query and fragment.
   *
   * @throws IllegalArgumentException if the text is nothing of the kind
   */
  static HttpUrl prefix(String text) {
    try {
      HttpUrl prefix = parse(text);
      if (prefix.uri.getRawQuery() == null && prefix.uri.getRawFragment() == null) return prefix;
      throw new IllegalArgumentException("must hold no query and no fragment");
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "an allowed URL must be like https://host/path, '%s' %s"
              .formatted(Text.cut(Text.storable(DatabaseUrl.masked(text)), 100), e.getMessage()),
          e);
    }
  }

  /** Whether this is at the same origin, and its path the same or below. */
  boolean isWithin(HttpUrl prefix) {
    String below = prefix.path.endsWith("/") ? prefix.path : prefix.path + "/";
    return origin.equals(prefix.origin) && (path.equals(prefix.path) || path.startsWith(below));
  }

  /** The origin only: paths and queries hold tokens. */
  @Override
  public String toString() {
    return origin;
  }
}
