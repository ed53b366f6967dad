package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.DibsException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class HandlerJarsTest {
  private static final String GREETS =
      """
      package shop;
      public final class %1$s implements dev.dibs.worker.HandlerProvider {
        public record Greeting(String name) {}
        public void provide(dev.dibs.worker.Handlers handlers) {
          handlers.handle(dev.dibs.Kind.of("%2$s", Greeting.class), (greeting, task) -> {
            boolean own = Thread.currentThread().getContextClassLoader() == getClass().getClassLoader();
            return greeting.name().equals("Ada") && own
                ? dev.dibs.Outcome.done() : dev.dibs.Outcome.dead("who is this?");
          });
        }
      }
      """;
  private static final String FAILS =
      """
      package shop;
      public final class Fails implements dev.dibs.worker.HandlerProvider {
        public Fails() { throw new IllegalStateException("no licence"); }
        public void provide(dev.dibs.worker.Handlers handlers) {}
      }
      """;

  @TempDir Path sources;
  @TempDir Path jars;

  private void jar(String file, String name, String source) throws IOException {
    Path java = sources.resolve("shop").resolve(name + ".java");
    Files.createDirectories(java.getParent());
    Files.writeString(java, source);
    int failed =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                sources.toString(),
                java.toString());
    assertThat(failed).isZero();
    try (OutputStream out = Files.newOutputStream(jars.resolve(file));
        var jar = new JarOutputStream(out);
        var classes = Files.walk(sources)) {
      entry(
          jar,
          "META-INF/services/dev.dibs.worker.HandlerProvider",
          ("shop." + name).getBytes(StandardCharsets.UTF_8));
      for (Path path :
          classes
              .filter(p ->
                  p.getFileName().toString().startsWith(name) && p.toString().endsWith(".class"))
              .toList()) {
        entry(jar, sources.relativize(path).toString(), Files.readAllBytes(path));
      }
    }
  }

  private static void entry(JarOutputStream jar, String name, byte[] bytes) throws IOException {
    jar.putNextEntry(new JarEntry(name));
    jar.write(bytes);
    jar.closeEntry();
  }

  private HandlerOptions options() {
    var options = new HandlerOptions();
    options.directory = jars;
    return options;
  }

  private Run refused() {
    Run run =
        Run.dibs(
            "worker",
            "--handlers",
            jars.toString(),
            "--database-url",
            "jdbc:postgresql://127.0.0.1:1/none");
    assertThat(run.err()).hasLineCount(1);
    return run;
  }

  @Test
  void jars_bringHandlersThatRun() throws Exception {
    jar("greets.jar", "Greets", GREETS.formatted("Greets", "greet"));
    Files.writeString(jars.resolve("notes.txt"), "no jar");
    try (var worker = new TestWorker(options())) {
      worker.assertSucceeds(worker.enqueue("greet", "{\"name\":\"Ada\"}"));
      assertThat(worker.deathOf(worker.enqueue("greet", "{\"name\":\"Bob\"}")))
          .isEqualTo("who is this?");
      worker.assertSucceeds(worker.enqueue("noop", "[1,2]"));
    }
  }

  @Test
  void kindWithTwoHandlers_namesBothProviders() throws Exception {
    jar("a.jar", "Greets", GREETS.formatted("Greets", "greet"));
    jar("b.jar", "Second", GREETS.formatted("Second", "greet"));
    Run run = refused();
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err())
        .contains(
            "kind 'greet' has two handlers",
            "shop.Greets of a.jar",
            "shop.Second of b.jar",
            "remove one");
  }

  @Test
  void builtInKind_isNotReplaced() throws Exception {
    jar("a.jar", "Greets", GREETS.formatted("Greets", "http"));
    assertThat(refused().err()).contains("kind 'http' has two handlers", "dibs itself", "a.jar");
  }

  @Test
  void providerThatFails_isNamed() throws Exception {
    jar("fails.jar", "Fails", FAILS);
    Run run = refused();
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("shop.Fails of fails.jar", "no licence");
  }

  @Test
  void providerThatIsMissing_isNamed() throws Exception {
    try (var jar = new JarOutputStream(Files.newOutputStream(jars.resolve("empty.jar")))) {
      entry(
          jar,
          "META-INF/services/dev.dibs.worker.HandlerProvider",
          "shop.Gone".getBytes(StandardCharsets.UTF_8));
    }
    Run run = refused();
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("shop.Gone", jars.toString());
  }

  @Test
  void brokenJar_isNamed() throws Exception {
    Files.writeString(jars.resolve("broken.jar"), "no zip");
    Run run = refused();
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("broken.jar", "cannot be read");
  }

  @Test
  void jarsWithoutProvider_sayWhatIsMissing() throws Exception {
    try (var jar = new JarOutputStream(Files.newOutputStream(jars.resolve("library.jar")))) {
      entry(jar, "x.txt", new byte[0]);
    }
    assertThatThrownBy(() -> HandlerJars.open(jars))
        .isInstanceOf(DibsException.class)
        .hasMessageContaining("META-INF/services/dev.dibs.worker.HandlerProvider");
  }

  @Test
  void directoryWithoutJars_isWrongUsage() {
    for (Path directory : List.of(jars, jars.resolve("none"))) {
      assertThatThrownBy(() -> HandlerJars.open(directory))
          .isInstanceOf(UsageException.class)
          .hasMessageContaining(directory.toString());
    }
  }
}
