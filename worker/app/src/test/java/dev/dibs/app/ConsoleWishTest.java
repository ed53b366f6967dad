package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.console.Login;
import dev.dibs.console.Role;
import dev.dibs.console.Users;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is asked of a console is done or refused, never left out in silence. */
@Timeout(60)
class ConsoleWishTest {
  @TempDir Path directory;

  private String users = "";
  private String secret = "";

  @BeforeEach
  void write() throws IOException {
    users =
        Files.writeString(
                directory.resolve("users"), Users.line("ada", Role.ADMIN, "correct horse battery"))
            .toString();
    secret = Files.writeString(directory.resolve("secret"), "0123456789abcdef").toString();
  }

  private static void assertRefused(String command, List<String> options, String... parts) {
    List<String> words =
        new ArrayList<>(
            List.of(
                command, "--database-url", "jdbc:postgresql://127.0.0.1:1/none", "--fail-fast"));
    words.addAll(options);
    Run run = Run.dibs(words.toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isEqualTo(2);
    assertThat(run.err()).hasLineCount(1).contains(parts);
  }

  @Test
  void proxySecret_isRefusedWhereNoProxyIsBelieved() {
    assertRefused(
        "console",
        List.of("--proxy-secret-file", secret),
        "--proxy-secret-file",
        "give --proxy-from");
    assertRefused(
        "console", List.of("--proxy-secret-file", secret, "--users", users), "give --proxy-from");
    assertRefused(
        "worker",
        List.of("--console", "0", "--console-proxy-secret-file", secret),
        "--console-proxy-secret-file",
        "give --console-proxy-from");
  }

  @Test
  void role_isRefusedWherePeopleHaveTheirOwn() {
    assertRefused("console", List.of("--role", "viewer", "--users", users), "--role", "--users");
    assertRefused(
        "console",
        List.of("--role", "viewer", "--proxy-from", "10.0.0.1", "--proxy-secret-file", secret),
        "--role",
        "X-Dibs-Role");
    assertRefused(
        "worker",
        List.of("--console", "0", "--console-role", "viewer", "--console-users", users),
        "--console-role",
        "--console-users");
  }

  @Test
  void proxy_isAnAddressAndNoName() {
    for (String wrong :
        List.of(
            "proxy.internal",
            "localhost",
            "10.0.0.256",
            "10.0.0",
            "10.0.0.01",
            "10.0.0.0/8",
            "10.0.0.1:80",
            "1",
            "::g",
            "1::2::3",
            "[::1]"))
      assertRefused(
          "console",
          List.of("--proxy-from", "10.0.0.1," + wrong, "--proxy-secret-file", secret),
          "--proxy-from " + wrong + " is no address");
  }

  private Login.Proxy proxy(String... addresses) throws Exception {
    var who = new ConsoleWish.Who(null, List.of(addresses), Path.of(secret), null, false);
    var wish =
        new ConsoleWish(
            "--",
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            who,
            new ConsoleWish.Look("test", false));
    return (Login.Proxy) wish.settings().login();
  }

  @Test
  void proxy_isTheAddressHoweverItIsWritten() throws Exception {
    byte[] one = new byte[16];
    one[15] = 1;
    byte[] local = {(byte) 0xfe, (byte) 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
    Login.Proxy proxy = proxy("10.0.0.7", "0:0:0:0:0:0:0:1", "::FFFF:10.0.0.8", "fe80::7");
    for (InetAddress from :
        List.of(
            InetAddress.getByAddress(new byte[] {10, 0, 0, 7}),
            InetAddress.getByAddress(one),
            InetAddress.getByAddress(new byte[] {10, 0, 0, 8}),
            Inet6Address.getByAddress("by an interface", local, 3)))
      assertThat(proxy.addresses()).contains(from);
    assertThat(proxy.addresses()).hasSize(4);
  }
}
