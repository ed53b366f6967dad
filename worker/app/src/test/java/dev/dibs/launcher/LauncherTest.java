package dev.dibs.launcher;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.testing.TestDatabase;
import java.io.File;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Starts real processes: under an old Java where one is installed, else under the one that runs
 * this test.
 */
class LauncherTest {
  private static final String CLASS_PATH =
      System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));

  @TempDir Path directory;

  @Test
  void byteCode_isOfJava8() throws Exception {
    for (String name : List.of("Launcher", "JavaHome")) {
      try (InputStream in = Launcher.class.getResourceAsStream(name + ".class")) {
        assertThat(in).isNotNull();
        assertThat(in.readNBytes(8)[7]).as(name).isEqualTo((byte) 52);
      }
    }
  }

  @Test
  void command_namesTheParentAndPassesTheArguments() {
    var home = new JavaHome(new File("/jdk"), 25);
    assertThat(Launcher.command(home, new String[] {"status", "--json"}))
        .contains(
            "-Ddibs.parent=" + ProcessHandle.current().pid(), "--enable-native-access=ALL-UNNAMED")
        .endsWith("dev.dibs.app.Dibs", "status", "--json");
  }

  @Test
  void launcher_passesOutputAndExitCodeThrough() throws Exception {
    assertThat(finish(start("--version"))).isZero();
    assertThat(output()).startsWith("dibs ").contains("on Java");
    assertThat(finish(start("nonsense"))).isEqualTo(2);
    assertThat(output()).contains("unknown command 'nonsense'");
  }

  @Test
  void launcher_takesItsChildAlongOnSigterm() throws Exception {
    try (var database = TestDatabase.create()) {
      Process launcher = start("status", "--watch=60", "--database-url", database.url());
      await().atMost(ofSeconds(60)).until(() -> output().contains("no workers"));
      List<ProcessHandle> children = launcher.descendants().toList();
      launcher.destroy();
      assertThat(finish(launcher)).isEqualTo(143);
      assertThat(children).noneMatch(ProcessHandle::isAlive);
    }
  }

  @Test
  void child_endsWhenItsParentIsKilled() throws Exception {
    try (var database = TestDatabase.create()) {
      Process parent = new ProcessBuilder("cat").start();
      List<String> command =
          new ArrayList<>(
              List.of(runningJava(), "-Ddibs.parent=" + parent.pid(), "-cp", CLASS_PATH));
      command.addAll(
          List.of("dev.dibs.app.Dibs", "status", "--watch=60", "--database-url", database.url()));
      Process child = process(command).start();
      await().atMost(ofSeconds(60)).until(() -> output().contains("no workers"));
      parent.destroyForcibly();
      assertThat(finish(child)).isEqualTo(1);
    }
  }

  @Test
  void jarWithoutItsLibraries_isSaid() throws Exception {
    var alone = Path.of(Launcher.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    assertThat(finish(startWith(alone.toString(), "--version"))).isEqualTo(1);
    assertThat(output()).contains("lib is missing", "beside dibs.jar").hasLineCount(1);
  }

  private Process start(String... args) throws Exception {
    return startWith(CLASS_PATH, args);
  }

  private Process startWith(String classPath, String... args) throws Exception {
    List<String> command =
        new ArrayList<>(List.of(oldJava(), "-cp", classPath, "dev.dibs.launcher.Launcher"));
    command.addAll(List.of(args));
    return process(command).start();
  }

  private ProcessBuilder process(List<String> command) {
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(directory.resolve("output").toFile());
  }

  private String output() throws Exception {
    Path file = directory.resolve("output");
    return Files.exists(file) ? Files.readString(file, StandardCharsets.UTF_8) : "";
  }

  private static int finish(Process process) throws InterruptedException {
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  /** The java of an installed JDK too old for dibs, so that the launcher must look for another. */
  private static String oldJava() {
    return JavaHome.installed(Map.of()).stream()
        .filter(home -> home.version >= 8 && home.version < Launcher.NEEDED)
        .findFirst()
        .map(home -> home.executable().getPath())
        .orElseGet(LauncherTest::runningJava);
  }

  private static String runningJava() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }
}
