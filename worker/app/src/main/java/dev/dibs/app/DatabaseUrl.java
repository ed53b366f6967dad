package dev.dibs.app;

import dev.dibs.Text;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a database is, as JDBC wants it: user and password stand apart from the address. Immutable.
 *
 * @param jdbc {@code jdbc:postgresql://…}
 */
record DatabaseUrl(String jdbc, Optional<String> user, Optional<String> password) {
  private static final Pattern URL =
      Pattern.compile(
          "(?:jdbc:)?postgres(?:ql)?://(?:(?<user>[^:@/?]*)(?::(?<password>[^@/?]*))?@)?(?<address>.*)",
          Pattern.DOTALL);
  private static final Pattern USER_INFO = Pattern.compile("(//[^:/@?]*:).*@");
  private static final Pattern PARAMETER =
      Pattern.compile("((?:pass|password)=)[^&]*", Pattern.CASE_INSENSITIVE);

  /**
   * Reads {@code jdbc:postgresql://host:port/database} or {@code
   * postgresql://user:password@host/database}.
   *
   * @throws UsageException if the text is neither
   */
  static DatabaseUrl parse(String text) {
    Matcher matcher = URL.matcher(text.strip());
    if (!matcher.matches()) throw unfit(text);
    var url =
        new DatabaseUrl(
            "jdbc:postgresql://" + matcher.group("address"),
            decoded(matcher.group("user")),
            decoded(matcher.group("password")));
    try {
      DriverManager.getDriver(url.jdbc);
      return url;
    } catch (SQLException e) {
      throw unfit(text);
    }
  }

  private static UsageException unfit(String text) {
    return new UsageException(
        "--database-url must be like jdbc:postgresql://host:5432/database, was '"
            + Text.storable(masked(text))
            + "'");
  }

  private static Optional<String> decoded(@Nullable String part) {
    if (part == null || part.isEmpty()) return Optional.empty();
    try {
      return Optional.of(URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      throw new UsageException(
          "--database-url has a user or password with a % that stands for nothing; write it as %25");
    }
  }

  /** The same text without any password. */
  static String masked(String text) {
    String noUserInfo = USER_INFO.matcher(text).replaceAll("$1***@");
    return PARAMETER.matcher(noUserInfo).replaceAll("$1***");
  }

  /** Whether the URL itself sets a connection parameter, such as {@code socketTimeout}. */
  boolean sets(String parameter) {
    return Pattern.compile("[?&]" + parameter + "=").matcher(jdbc).find();
  }

  DatabaseUrl withUser(String user) {
    return new DatabaseUrl(jdbc, Optional.of(user), password);
  }

  DatabaseUrl withPassword(String password) {
    return new DatabaseUrl(jdbc, user, Optional.of(password));
  }

  /** For messages: no password. */
  @Override
  public String toString() {
    return masked(jdbc);
  }
}
