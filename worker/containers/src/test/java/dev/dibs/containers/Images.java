package dev.dibs.containers;

import dev.dibs.containers.handlers.Work;
import dev.dibs.containers.handlers.WorkHandlers;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;

/**
 * The images: that of dibs, built as its README says, and two that users would make of it, with a
 * version of their handlers each.
 */
final class Images {
  static final String DIBS = "dibs:containers";
  private static final Path APP = Path.of("../app");
  private static final String TAG = "dibs-shop:";

  private Images() {}

  /** Builds all of them. */
  static void build() {
    docker("build", "-q", "-t", DIBS, "--build-arg", "VERSION=containers", APP.toString());
    for (int version = 1; version <= 2; version++) buildShop(version);
  }

  /** Dibs with the handlers of this version. */
  static String shop(int version) {
    return TAG + version;
  }

  private static void buildShop(int version) {
    try {
      Path context = Files.createDirectories(Path.of("target/shop-" + version));
      writeJar(context.resolve("shop.jar"), version);
      Files.writeString(
          context.resolve("Dockerfile"),
          "FROM %s%nCOPY shop.jar /opt/dibs/handlers/%n".formatted(DIBS));
      docker("build", "-q", "-t", shop(version), context.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void writeJar(Path file, int version) throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        var jar = new JarOutputStream(out)) {
      for (Class<?> type : List.of(Work.class, WorkHandlers.class)) {
        String name = type.getName().replace('.', '/') + ".class";
        try (InputStream bytes = type.getResourceAsStream("/" + name)) {
          if (bytes == null) throw new IllegalStateException(name + " is not on the class path");
          entry(jar, name, bytes.readAllBytes());
        }
      }
      text(jar, "META-INF/services/dev.dibs.worker.HandlerProvider", WorkHandlers.class.getName());
      text(jar, WorkHandlers.VERSION_FILE, Integer.toString(version));
    }
  }

  private static void text(JarOutputStream jar, String name, String text) throws IOException {
    entry(jar, name, text.getBytes(StandardCharsets.UTF_8));
  }

  private static void entry(JarOutputStream jar, String name, byte[] bytes) throws IOException {
    jar.putNextEntry(new JarEntry(name));
    jar.write(bytes);
    jar.closeEntry();
  }

  /** By the command that users type: it knows .dockerignore. */
  private static void docker(String... arguments) {
    List<String> command = new ArrayList<>(List.of("docker"));
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    if (!hasBuildx()) builder.environment().put("DOCKER_BUILDKIT", "0");
    String said = run(builder);
    if (!said.contains("sha256:"))
      throw new IllegalStateException(String.join(" ", command) + " failed: " + said);
  }

  private static boolean hasBuildx() {
    return run(new ProcessBuilder("docker", "buildx", "version").redirectErrorStream(true))
        .contains("buildx v");
  }

  private static String run(ProcessBuilder builder) {
    try {
      Process process = builder.start();
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("the command docker is needed too", e);
    }
  }
}
