package dev.dibs.app;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * The table that an audience watches: it redraws itself on a terminal, elsewhere a line a second
 * tells the same. Owned by the demo's thread.
 */
final class DemoBoard {
  private static final Duration LINE_EVERY = Duration.ofSeconds(1);
  private static final int BAR = 40;

  private final PrintWriter out;
  private final boolean redraws;
  private final int tasks;
  private final long startedAt = System.nanoTime();
  private int lines;
  private long doneBefore;
  private long shownAt = System.nanoTime();
  private double rate;

  DemoBoard(PrintWriter out, boolean redraws, int tasks) {
    this.out = out;
    this.redraws = redraws;
    this.tasks = tasks;
  }

  /** Says something that stays, above the table. */
  void say(String line) {
    wipe();
    out.println(line);
    out.flush();
  }

  /** Shows how far the demo is; {@code notes} tell what happened to a process. */
  void show(DemoProgress progress, Map<String, String> notes) {
    long now = System.nanoTime();
    double seconds = (double) (now - shownAt) / 1e9;
    if (!redraws && now - shownAt < LINE_EVERY.toNanos()) return;
    rate = seconds > 0 ? (double) (progress.done() - doneBefore) / seconds : rate;
    doneBefore = progress.done();
    shownAt = now;
    if (redraws) redraw(progress, notes);
    else out.println(line(progress));
    out.flush();
  }

  private String line(DemoProgress progress) {
    return "%5.1f s  %,7d done  %,7d waiting  %,4d running  %,7.0f tasks/s  %s"
        .formatted(
            (double) (System.nanoTime() - startedAt) / 1e9,
            progress.done(),
            progress.waiting(),
            progress.running(),
            rate,
            progress.byProcess());
  }

  private void redraw(DemoProgress progress, Map<String, String> notes) {
    wipe();
    long filled = progress.done() * BAR / tasks;
    out.println(
        "["
            + "#".repeat((int) filled)
            + ".".repeat(BAR - (int) filled)
            + "] "
            + line(progress).strip());
    var table = new TextTable("PROCESS", "DONE", "SHARE", "");
    progress
        .byProcess()
        .forEach((process, done) ->
            table.add(
                process,
                done,
                "%.1f %%".formatted(100.0 * done / Math.max(1, progress.done())),
                notes.getOrDefault(process, "")));
    List<String> rows = table.lines();
    rows.forEach(out::println);
    lines = rows.size() + 1;
  }

  private void wipe() {
    if (lines > 0) out.print("\033[" + lines + "F\033[J");
    lines = 0;
  }
}
