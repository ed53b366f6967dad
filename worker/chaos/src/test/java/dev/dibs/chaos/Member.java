package dev.dibs.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A place in the fleet: a worker or producer process behind a proxy of its own, that is started
 * again when it was killed. Thread-safe.
 */
final class Member {
  /**
   * How its processes are started.
   *
   * @param main of the process
   * @param ahead put before the class path: mutants
   */
  record Launch(Class<?> main, Path directory, long seed, Workload workload, List<Path> ahead) {
    Launch {
      ahead = List.copyOf(ahead);
    }
  }

  private static final List<String> JVM =
      List.of(
          "-Xmx128m",
          "-Xss512k",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-Dorg.jooq.no-logo=true",
          "-Dorg.jooq.no-tips=true",
          "--enable-native-access=ALL-UNNAMED");

  private final String seat;
  private final Launch launch;
  private final FaultyProxy proxy;
  private int starts;
  private @Nullable Process process;

  Member(String seat, Launch launch, FaultyProxy proxy) {
    this.seat = seat;
    this.launch = launch;
    this.proxy = proxy;
  }

  FaultyProxy proxy() {
    return proxy;
  }

  /** Of the process that was started last. */
  synchronized String processName() {
    return seat + "." + starts;
  }

  /** Starts a process, unless there is one. */
  synchronized void start() {
    if (isAlive()) return;
    starts++;
    var plan =
        new ChildPlan(
            processName(),
            launch.directory().toString(),
            proxy.port(),
            launch.seed() * 1_000 + starts,
            launch.workload());
    List<String> command = new ArrayList<>(List.of(java()));
    command.addAll(JVM);
    command.addAll(List.of("-cp", classPath(), launch.main().getName(), plan.json()));
    try {
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(launch.directory().resolve(processName() + ".log").toFile())
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  private String classPath() {
    return Stream.concat(
            launch.ahead().stream().map(Path::toString),
            Stream.of(System.getProperty("java.class.path")))
        .collect(Collectors.joining(System.getProperty("path.separator")));
  }

  synchronized boolean isAlive() {
    return process != null && process.isAlive();
  }

  /** SIGKILL; answers the process's name, or null if there was none. */
  synchronized @Nullable String kill() {
    if (process == null || !process.isAlive()) return null;
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return processName();
  }

  /** SIGSTOP. */
  synchronized void freeze() {
    if (process != null) Signals.send("STOP", process);
  }

  /** SIGCONT. */
  synchronized void thaw() {
    if (process != null) Signals.send("CONT", process);
  }

  /** Tells the process to end in good order. */
  synchronized void tellToStop() {
    if (process == null || !process.isAlive()) return;
    try {
      process.getOutputStream().write("stop\n".getBytes(StandardCharsets.US_ASCII));
      process.getOutputStream().flush();
    } catch (IOException e) {
      throw new UncheckedIOException(seat + " cannot be told to stop", e);
    }
  }

  /** Whether the process ends by itself within {@code atMost}, without complaint. */
  boolean ends(Duration atMost) {
    Process ending;
    synchronized (this) {
      ending = process;
    }
    try {
      return ending == null
          || (ending.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS) && ending.exitValue() == 0);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
