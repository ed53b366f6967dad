package dev.dibs.app;

import java.io.PrintWriter;
import java.time.Duration;

/**
 * How far a long command is, on one line of err that redraws itself; nothing at all where err is no
 * terminal.
 *
 * <p>Owned by one thread. Wipe it before anything else is printed.
 */
final class ProgressBar implements AutoCloseable {
  private static final Duration REDRAW = Duration.ofMillis(100);
  private static final int WIDTH = 30;
  private static final String WIPE = "\r\033[K";

  private final PrintWriter out;
  private final boolean visible;
  private final String doing;
  private final long total;
  private long done;
  private long drawnAt = System.nanoTime();
  private boolean drawn;

  private ProgressBar(PrintWriter out, boolean visible, String doing, long total) {
    this.out = out;
    this.visible = visible;
    this.doing = doing;
    this.total = total;
  }

  /**
   * A bar that fills up towards {@code total}; a counter where the total is 0, which means unknown.
   */
  static ProgressBar on(Shell shell, String doing, long total) {
    return new ProgressBar(shell.err(), shell.errIsTerminal(), doing, total);
  }

  /** Says how much of the total is done by now; {@code note} follows the bar. */
  void reach(long done, String note) {
    this.done = done;
    if (!visible || System.nanoTime() - drawnAt < REDRAW.toNanos()) return;
    drawnAt = System.nanoTime();
    drawn = true;
    out.print(WIPE + line(note));
    out.flush();
  }

  private String line(String note) {
    if (total <= 0) return doing + " " + note;
    long share = Math.min(100, done * 100 / total);
    int filled = (int) (share * WIDTH / 100);
    return doing
        + " ["
        + "#".repeat(filled)
        + ".".repeat(WIDTH - filled)
        + "] "
        + share
        + "% "
        + note;
  }

  /** Takes the line away, so that something else can be printed; the bar comes back by itself. */
  void wipe() {
    if (!drawn) return;
    drawn = false;
    out.print(WIPE);
    out.flush();
  }

  @Override
  public void close() {
    wipe();
  }
}
