package dev.dibs.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;

/** Sends signals, which Java itself cannot but for two. */
final class Signals {
  private Signals() {}

  /** Sends {@code signal}, as {@code kill} names it; nothing happens if the process is gone. */
  static void send(String signal, Process process) {
    if (!process.isAlive()) return;
    try {
      new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while sending " + signal, e);
    }
  }
}
