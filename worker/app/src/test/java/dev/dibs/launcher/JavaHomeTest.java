package dev.dibs.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JavaHomeTest {
  @ParameterizedTest
  @CsvSource({
    "1.8.0_392,8",
    "11.0.2,11",
    "17,17",
    "21.0.1,21",
    "25-ea,25",
    "25.0.3,25",
    "next,0",
    "'',0"
  })
  void majorOf_readsEveryStyle(String version, int major) {
    assertThat(JavaHome.majorOf(version)).isEqualTo(major);
    assertThat(
            JavaHome.majorOfRelease(
                "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\nOS=\"y\""))
        .isEqualTo(major);
  }

  @Test
  void majorOfRelease_isNothingWithoutAVersion() {
    assertThat(JavaHome.majorOfRelease("JAVA_VERSION_DATE=\"2025-04-15\"\n")).isZero();
  }

  @Test
  void best_prefersJavaHomeThenLongTermSupportThenTheNewest() {
    assertThat(best(0, 17, 21, 25, 26)).isEqualTo(25);
    assertThat(best(0, 21, 26)).isEqualTo(21);
    assertThat(best(0, 22, 24, 23)).isEqualTo(24);
    assertThat(best(22, 21, 25)).isEqualTo(22);
    assertThat(best(17, 17, 25)).isEqualTo(25);
    assertThat(best(17, 11)).isEqualTo(0);
  }

  private static int best(int javaHome, int... others) {
    List<JavaHome> homes =
        IntStream.concat(IntStream.of(javaHome), IntStream.of(others))
            .mapToObj(version -> new JavaHome(new File("/jdk-" + version), version))
            .toList();
    return Stream.ofNullable(JavaHome.best(homes, Launcher.NEEDED))
        .mapToInt(home -> home.version)
        .findFirst()
        .orElse(0);
  }

  @Test
  void installed_readsTheVariablesThatNameOne(@TempDir Path directory) throws Exception {
    Path home = directory.resolve("jdk");
    Files.createDirectories(home.resolve("bin"));
    Files.createFile(home.resolve("bin/java"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"99.0.1\"\n");
    assertThat(home.resolve("bin/java").toFile().setExecutable(true)).isTrue();
    assertThat(JavaHome.installed(Map.of("JDK99_HOME", home.toString())))
        .anyMatch(found -> found.version == 99 && found.directory.equals(home.toFile()));
    assertThat(JavaHome.installed(Map.of("JAVA_HOME", home.toString())).getFirst().version)
        .isEqualTo(99);
    assertThat(JavaHome.installed(Map.of("JAVA_HOME", directory.toString())).getFirst().version)
        .isZero();
  }
}
