package dev.dibs.chaos;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.Codec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/**
 * What a process of a chaos run is told, as JSON on its command line.
 *
 * @param name of this process alone: a restart has another
 * @param directory where it records
 * @param port of the proxy that leads it to the database
 * @param seed of its own choices
 */
record ChildPlan(String name, String directory, int port, long seed, Workload workload) {
  private static final Duration CONNECT = Duration.ofSeconds(3);

  static ChildPlan parse(String json) {
    return Codec.jackson().decode(json, ChildPlan.class);
  }

  String json() {
    return Codec.jackson().encode(this);
  }

  Recorder recorder() throws IOException {
    return Recorder.open(Path.of(directory), name);
  }

  /** A pool that starts without the database and gives up soon. */
  HikariDataSource pool(int size) {
    var config = new HikariConfig();
    config.setJdbcUrl(
        "jdbc:postgresql://127.0.0.1:%d/postgres?user=postgres&ApplicationName=%s&connectTimeout=3&socketTimeout=6&tcpKeepAlive=true"
            .formatted(port, name));
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(0);
    config.setInitializationFailTimeout(-1);
    config.setConnectionTimeout(CONNECT.toMillis());
    config.setValidationTimeout(Duration.ofSeconds(1).toMillis());
    return new HikariDataSource(config);
  }

  /**
   * Comes down when the harness says a line. When the harness is gone, so is this process: nobody
   * would stop it.
   */
  static CountDownLatch toldToStop() {
    var told = new CountDownLatch(1);
    Thread.ofPlatform()
        .daemon()
        .name("chaos-stdin")
        .start(() -> {
          try {
            for (int c = System.in.read(); c != '\n'; c = System.in.read()) {
              if (c < 0) Runtime.getRuntime().halt(3);
            }
            told.countDown();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    return told;
  }
}
