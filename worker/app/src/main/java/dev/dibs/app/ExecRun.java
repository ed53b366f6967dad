package dev.dibs.app;

import dev.dibs.Text;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * A program that runs for a task. Used by the run's thread; two threads of its own feed stdin and
 * read stderr, so that a program may write before it reads, or never read.
 */
final class ExecRun {
  private static final List<String> INHERITED = List.of("PATH", "HOME", "LANG");
  private static final int KEPT_BYTES = 2 << 10;
  private static final Duration LAST_WORDS = Duration.ofSeconds(1);

  /**
   * Less than a worker waits for an interrupted handler before its process ends, and nobody is left
   * to kill.
   */
  private static final Duration GRACE = Duration.ofMillis(1_500);

  private final Process process;
  private final Thread reader;
  private final byte[] tail = new byte[KEPT_BYTES];
  private int tailLength;

  private ExecRun(Process process, String stdin) {
    this.process = process;
    this.reader = Thread.ofPlatform().daemon().name("dibs-exec-stderr").start(this::read);
    Thread.ofPlatform().daemon().name("dibs-exec-stdin").start(() -> feed(stdin));
  }

  /**
   * Starts a program, with no more of this process's environment than programs need to find things.
   *
   * @param facts further variables
   * @throws IOException if it cannot be started
   */
  static ExecRun start(ExecCall call, Map<String, String> facts) throws IOException {
    var builder = new ProcessBuilder(call.command()).redirectOutput(Redirect.DISCARD);
    builder.environment().keySet().retainAll(INHERITED);
    builder.environment().putAll(facts);
    return new ExecRun(builder.start(), call.stdin());
  }

  private void feed(String stdin) {
    try (OutputStream out = process.getOutputStream()) {
      out.write(stdin.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      return; // a program may read less than it is given: its exit code is what counts
    }
  }

  private void read() {
    try (InputStream in = process.getErrorStream()) {
      byte[] bytes = new byte[KEPT_BYTES];
      for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) keep(bytes, count);
    } catch (IOException e) {
      return; // it was killed: what came until then is kept
    }
  }

  private synchronized void keep(byte[] bytes, int count) {
    int stay = Math.min(tailLength, KEPT_BYTES - count);
    System.arraycopy(tail, tailLength - stay, tail, 0, stay);
    System.arraycopy(bytes, 0, tail, stay, count);
    tailLength = stay + count;
  }

  /**
   * Waits for the program to end and answers its exit code; an interrupt ends it and all it has
   * started.
   */
  int awaitExit() throws InterruptedException {
    try {
      return process.onExit().get().exitValue();
    } catch (InterruptedException e) {
      kill();
      throw e;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private void kill() {
    List<ProcessHandle> tree = tree().toList();
    tree.forEach(ProcessHandle::destroy);
    if (!allEndWithin(tree, GRACE)) {
      Stream.concat(tree.stream(), tree())
          .filter(ProcessHandle::isAlive)
          .forEach(ProcessHandle::destroyForcibly);
    }
  }

  private Stream<ProcessHandle> tree() {
    return Stream.concat(Stream.of(process.toHandle()), process.descendants());
  }

  /** A second interrupt means: no more grace. */
  private static boolean allEndWithin(List<ProcessHandle> tree, Duration grace) {
    var ends = tree.stream().map(ProcessHandle::onExit).toArray(CompletableFuture<?>[]::new);
    try {
      CompletableFuture.allOf(ends).get(grace.toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (InterruptedException | TimeoutException | ExecutionException e) {
      return false;
    }
  }

  /** The last the program wrote to stderr; one that it left behind may still hold it open. */
  String lastWords() throws InterruptedException {
    reader.join(LAST_WORDS);
    synchronized (this) {
      return Text.storable(new String(Arrays.copyOf(tail, tailLength), StandardCharsets.UTF_8))
          .strip();
    }
  }
}
