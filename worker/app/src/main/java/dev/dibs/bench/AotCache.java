package dev.dibs.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a process leaves behind so that those after it need not load, link and profile the same
 * classes again: the JVM's ahead-of-time cache, as an image would bring it. Closing removes it.
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

  /** The JVM options of processes that use it. */
  List<String> using() {
    if (!Files.exists(file()))
      throw new IllegalStateException("no process has written the cache " + file());
    return List.of("-XX:AOTCache=" + file());
  }

  @Override
  public void close() throws IOException {
    Files.deleteIfExists(file());
    Files.delete(directory);
  }
}
