package dev.dibs.app;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class OutputTest {
  private final StringWriter err = new StringWriter();

  /** Takes so many characters, then no more. */
  private static final class Bounded extends Writer {
    private final String reason;
    private int room;

    Bounded(int room, String reason) {
      this.room = room;
      this.reason = reason;
    }

    @Override
    public void write(char[] text, int from, int length) throws IOException {
      room -= length;
      if (room < 0) throw new IOException(reason);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  private Shell shell(Writer out, Map<String, String> environment) {
    return new Shell(
        System.in, new Output(out), new PrintWriter(err, true), environment, descriptor -> false);
  }

  @Test
  void output_thatCannotBeWrittenIsAFailureInOneLine() {
    var full = new Bounded(100, "No space left on device");
    assertThat(Dibs.run(shell(full, Map.of()), "migrate", "--print", "--roles")).isEqualTo(1);
    assertThat(err.toString())
        .startsWith("dibs: not all could be written to standard output: No space left on device; ")
        .hasLineCount(1);
  }

  /** Whoever has seen enough needs no line about it. */
  @Test
  void output_whoseReaderIsGoneIsAFailureWithoutALine() {
    var gone = new Bounded(0, "Broken pipe");
    assertThat(Dibs.run(shell(gone, Map.of()), "--help")).isEqualTo(1);
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void output_keepsTheExitCodeOfWhatFailedBesides() {
    var gone = new Bounded(0, "Broken pipe");
    assertThat(Dibs.run(shell(gone, Map.of()), "tasks", "list", "--page")).isEqualTo(2);
  }

  @Test
  void watch_endsWhenNobodyReadsAnyMore() throws Exception {
    try (var database = TestDatabase.create()) {
      Shell shell =
          shell(new Bounded(1_000, "Broken pipe"), Map.of("DIBS_DATABASE_URL", database.url()));
      var watching = new FutureTask<>(() -> Dibs.run(shell, "status", "--watch=0.01", "--json"));
      Thread thread = Thread.ofPlatform().start(watching);
      try {
        assertThat(watching.get(ofSeconds(20).toSeconds(), TimeUnit.SECONDS)).isEqualTo(1);
      } finally {
        thread.interrupt();
      }
      assertThat(err.toString()).isEmpty();
    }
  }
}
