package dev.dibs.app;

import dev.dibs.BulkOrder;
import dev.dibs.BulkPreview;
import dev.dibs.BulkRow;
import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.Request;
import dev.dibs.operations.BulkDrive;
import dev.dibs.operations.Bulks;
import dev.dibs.sql.Migrations;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;

/**
 * A bulk on the command line: shown, asked about, and driven under a progress bar. A signal that
 * ends this process interrupts it after the batch that is under way.
 */
record BulkRun(Bulks bulks, Shell shell) {
  private static final Duration LONGEST_STATEMENT = Duration.ofMinutes(1);
  private static final long LAST_BATCH_SECONDS = 30;
  private static final int STDIN = 0;

  static BulkRun on(OperatorOptions options, Shell shell) throws InterruptedException {
    return on(options.database, shell);
  }

  static BulkRun on(DatabaseOptions options, Shell shell) throws InterruptedException {
    DataSource source = options.find(shell, "bulk").plain(LONGEST_STATEMENT);
    try (Connection connection = source.getConnection()) {
      Migrations.check(connection, options.schema());
    } catch (SQLException e) {
      throw new DatabaseException("the database could not be asked for its bulks", e);
    }
    return new BulkRun(Bulks.on(source, options.schema()), shell);
  }

  /** Shows what would be done, asks unless {@code yes}, and does it; answers the exit code. */
  int begin(BulkOrder order, Request request, boolean yes) throws InterruptedException {
    if (request.why().strip().length() < 10)
      throw new UsageException("give --why with at least 10 characters: the audit keeps it");
    BulkPreview preview = OperatorOptions.meant(() -> bulks.preview(order));
    String what =
        "%s %s tasks that are %s"
            .formatted(order.change().action(), preview.count().text(), order.filter().status());
    shell.out().println(what + (preview.sample().isEmpty() ? "" : ", such as"));
    if (!preview.sample().isEmpty())
      TaskText.table(preview.sample()).lines().forEach(line -> shell.out().println("  " + line));
    boolean isNothing =
        preview.count().exactness() == BulkPreview.Exactness.EXACT && preview.count().tasks() == 0;
    if (isNothing) return 0;
    if (!yes && !agrees(what)) {
      shell.out().println("nothing was changed");
      return 1;
    }
    return drive(OperatorOptions.meant(() -> bulks.start(preview, request)), request);
  }

  private boolean agrees(String what) {
    if (!shell.errIsTerminal() || !shell.terminal().test(STDIN))
      throw new UsageException("nobody can be asked here: give --yes to " + what);
    shell.err().print(what + "? [y/N] ");
    shell.err().flush();
    try {
      // Not closed: it is the process's own.
      String answer =
          new BufferedReader(new InputStreamReader(shell.in(), StandardCharsets.UTF_8)).readLine();
      return answer != null && answer.strip().toLowerCase(Locale.ROOT).matches("y|yes");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Drives what has begun; answers the exit code. */
  int drive(Bulks.Begun begun, Request request) throws InterruptedException {
    BulkDrive drive = begun.drive().orElseThrow(() -> new DibsException(begun.message()));
    shell.say("bulk " + drive.id());
    var ended = new CountDownLatch(1);
    Runnable interrupt = () -> interrupt(drive, request, ended);
    AtExit.add(interrupt);
    try {
      return told(run(drive));
    } finally {
      ended.countDown();
      AtExit.remove(interrupt);
    }
  }

  private BulkRow run(BulkDrive drive) throws InterruptedException {
    BulkRow first = bulks.find(drive.id()).orElseThrow();
    long before = first.progress().seen();
    long since = System.nanoTime();
    String doing = first.order().change().action();
    try (var bar = ProgressBar.on(shell, doing, first.progress().expected().orElse(0))) {
      return drive.run(row -> {
        double seconds = Math.max(1e-3, (double) (System.nanoTime() - since) / 1e9);
        bar.reach(
            row.progress().seen(),
            "%s, %,.0f/s"
                .formatted(
                    BulkText.counts(row), (double) (row.progress().seen() - before) / seconds));
      });
    }
  }

  private void interrupt(BulkDrive drive, Request request, CountDownLatch ended) {
    bulks.interrupt(
        drive.id(), Request.of(request.actor(), request.source(), "its process was told to end"));
    try {
      if (!ended.await(LAST_BATCH_SECONDS, TimeUnit.SECONDS))
        shell.say(
            "the last batch did not end; go on with `dibs bulk resume %s`".formatted(drive.id()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private int told(BulkRow row) {
    BulkText.lines(row).forEach(shell.out()::println);
    return row.status() == BulkRow.Status.DONE && row.progress().failed() == 0 ? 0 : 1;
  }
}
