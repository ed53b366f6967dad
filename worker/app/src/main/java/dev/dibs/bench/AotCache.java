package dev.dibs.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a process leaves behind so that those after it need not load, link and profile the same
 * classes again: the JVM's ahead-of-time cache, as an image would bring it. A JVM writes none where
 * classes lie in directories, not in jars; then processes start without. Closing removes it.
 */
final class AotCache implements AutoCloseable {
  private final Path directory;

  AotCache() throws IOException {
    this.directory = Files.createTempDirectory("dibs-bench-aot");
  }

  private Path file() {
    return directory.resolve("dibs.aot");
  }

  /** The JVM options of the one process that is to write it when it ends. */
  List<String> writing() {
    return List.of("-XX:AOTCacheOutput=" + file());
  }

  /** The JVM options of processes that use it; none where none was written. */
  List<String> using() {
    return Files.exists(file()) ? List.of("-XX:AOTCache=" + file()) : List.of();
  }

  @Override
  public void close() throws IOException {
    try (Stream<Path> left = Files.list(directory)) {
      for (Path each : left.toList()) Files.delete(each);
    }
    Files.delete(directory);
  }
}
