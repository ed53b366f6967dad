package dev.dibs.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What must not be written in templates, style and script, and what was copied. */
class ConsoleSourcesTest {
  private static List<Path> templates() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("src/main/jte"))) {
      return files.sorted().toList();
    }
  }

  @Test
  void templates_leaveEscapingAndScriptsAlone() throws IOException {
    for (Path template : templates()) {
      assertThat(Files.readString(template))
          .as(template.toString())
          .doesNotContain(
              "$unsafe", "style=", "<style", "javascript:", "http://", "https://", "data:")
          .doesNotContainPattern("\\son[a-z]+=")
          .doesNotContainPattern("<script(?! defer src=)");
    }
    assertThat(templates()).hasSizeGreaterThan(20);
  }

  /** An address that is put together by hand is one that is not encoded. */
  @Test
  void templates_writeAddressesWithUrl() throws IOException {
    for (Path template : templates()) {
      assertThat(Files.readString(template))
          .as(template.toString())
          .doesNotContainPattern(
              "(?:href|action)=\"/[^\"]*\\$\\{(?!status\\.name\\(\\)|row\\.status\\(\\)\\.name\\(\\))");
    }
  }

  @Test
  void script_isShortAndAsksNobodyElse() {
    String script = text("console.js");
    assertThat(script.lines().count()).isLessThanOrEqualTo(300);
    assertThat(script).doesNotContain("innerHTML", "eval(", "http:", "https:", "document.write");
    assertThat(text("console.css")).doesNotContain("url(", "@import");
  }

  @Test
  void idiomorph_isTheOnePublished() {
    assertThat(Secrets.sha256(Assets.resource("idiomorph-0.8.0.js")))
        .as("dist/idiomorph.min.js of npm's idiomorph 0.8.0")
        .isEqualTo("4cbd535caf7663a51eda9bce6595371c384fc430d54b8d414e29a61167f19f96");
    assertThat(text("idiomorph-0.8.0.LICENSE")).contains("Zero-Clause BSD");
  }

  private static String text(String name) {
    return new String(Assets.resource(name), StandardCharsets.UTF_8);
  }
}
