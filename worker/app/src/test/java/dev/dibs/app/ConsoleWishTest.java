package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.console.Role;
import dev.dibs.console.Users;
import java.io.IOException;
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
}
