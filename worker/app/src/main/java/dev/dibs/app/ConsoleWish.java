package dev.dibs.app;

import dev.dibs.console.ConsoleSettings;
import dev.dibs.console.Login;
import dev.dibs.console.Role;
import dev.dibs.console.Users;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How a console is wanted by the options of a command, not yet checked.
 *
 * @param option what their names begin with: {@code --}, or {@code --console-} where others are too
 * @param look what pages say and allow
 */
record ConsoleWish(String option, InetSocketAddress address, Who who, Look look) {
  /** Who may come in, and how they say who they are. */
  record Who(
      @Nullable Path users,
      List<String> proxies,
      @Nullable Path proxySecret,
      @Nullable String role,
      boolean https) {}

  /** What is on every page, and whether any may change something. */
  record Look(String environment, boolean readOnly) {}

  private static final int LAST_PORT = 65_535;
  private static final String OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
  private static final Pattern LITERAL =
      Pattern.compile(OCTET + "(\\." + OCTET + "){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");

  /**
   * Where it is to listen.
   *
   * @param portOption the name of the option that says the port
   */
  static InetSocketAddress address(String option, String bind, String portOption, int port) {
    if (port < 0 || port > LAST_PORT)
      throw new UsageException(portOption + " must be 0 to 65535, was " + port);
    var address = new InetSocketAddress(bind, port);
    if (address.isUnresolved())
      throw new UsageException(option + "bind " + bind + " is no address of this machine");
    return address;
  }

  /** The settings that it comes to. */
  ConsoleSettings settings() {
    Login login = login();
    if (login instanceof Login.Local && !address.getAddress().isLoopbackAddress())
      throw new UsageException(
          "%1$sbind %2$s lets others in: give %1$susers FILE or %1$sproxy-from, or bind 127.0.0.1"
              .formatted(option, address.getHostString()));
    try {
      return new ConsoleSettings(
          address, who.https(), login, look.environment(), look.readOnly(), Dibs.Version.text());
    } catch (IllegalArgumentException e) {
      throw new UsageException(option + "environment: " + e.getMessage());
    }
  }

  private Login login() {
    checkThatAllIsUsed();
    if (who.users() != null) return new Login.Passwords(Users.read(who.users()));
    try {
      if (who.proxies().isEmpty())
        return new Login.Local(who.role() == null ? Role.ADMIN : Role.of(who.role()));
      List<InetAddress> addresses = who.proxies().stream().map(this::literal).toList();
      return new Login.Proxy(addresses, secret(who.proxySecret()));
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }

  /** What is left out in silence would be taken for a lock. */
  private void checkThatAllIsUsed() {
    boolean proxied = !who.proxies().isEmpty();
    if (who.users() != null && proxied)
      throw new UsageException("give %1$susers or %1$sproxy-from, not both".formatted(option));
    if (who.proxySecret() != null && !proxied)
      throw new UsageException(
          "%1$sproxy-secret-file is of a proxy that is believed: give %1$sproxy-from ADDRESS, or leave it out"
              .formatted(option));
    if (who.role() != null && (who.users() != null || proxied))
      throw new UsageException(
          "%1$srole is for where nobody is asked who they are: leave it out, roles are in the file of %1$susers or in the proxy's X-Dibs-Role"
              .formatted(option));
  }

  /** An address as it is written: a name could be another's tomorrow, and is never looked up. */
  private InetAddress literal(String text) {
    try {
      if (LITERAL.matcher(text).matches()) return InetAddress.getByName(text);
    } catch (UnknownHostException e) { // digits and colons that are none
    }
    throw new UsageException(
        "%sproxy-from %s is no address: give one like 10.0.0.7 or fd00::7, no name"
            .formatted(option, text));
  }

  private String secret(@Nullable Path file) {
    if (file == null)
      throw new UsageException(
          "%1$sproxy-from needs %1$sproxy-secret-file: an address alone can be borrowed"
              .formatted(option));
    try (var lines = Files.lines(file)) {
      return lines.findFirst().orElse("");
    } catch (IOException | java.io.UncheckedIOException e) {
      throw new UsageException(
          "%sproxy-secret-file %s cannot be read: %s".formatted(option, file, e.getMessage()));
    }
  }
}
