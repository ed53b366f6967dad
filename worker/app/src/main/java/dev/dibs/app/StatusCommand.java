package dev.dibs.app;

import dev.dibs.DatabaseException;
import dev.dibs.sql.Migrations;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.jooq.exception.DataAccessException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code dibs status}: what waits, what runs, what ended lately and who works, once or again and
 * again.
 */
@Command(name = "status", description = "Show queues, rates of the last minute and workers.")
final class StatusCommand implements Callable<Integer> {
  private static final Duration LONGEST_STATEMENT = Duration.ofMinutes(1);
  private static final String FAILED = "the status could not be read";
  private static final String CLEAR = "\033[H\033[2J\033[3J";

  private final Shell shell;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  @Option(
      names = "--watch",
      arity = "0..1",
      fallbackValue = "2",
      paramLabel = "SECONDS",
      description = "Show it again every SECONDS; 2 where none are given.")
  double watch;

  @Option(names = "--json", description = "Print one JSON object.")
  boolean json;

  StatusCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (!(watch >= 0 && watch <= 86_400))
      throw new UsageException("--watch must be 0 to 86400 seconds, was " + watch);
    Database database = options.find(shell, "status");
    boolean redraws = watch > 0 && !json && shell.outIsTerminal();
    show(report(database), redraws);
    while (watch > 0 && shell.out().failure().isEmpty()) {
      pause();
      showAgain(database, redraws);
    }
    return 0;
  }

  /** Whoever watches a failover wants to see it through. */
  private void showAgain(Database database, boolean redraws) throws InterruptedException {
    try {
      show(report(database), redraws);
    } catch (DatabaseException e) {
      options.awaitAgain(database, DatabaseWait.FOR_EVER);
    }
  }

  private String report(Database database) {
    try (Connection connection = database.plain(LONGEST_STATEMENT).getConnection()) {
      Migrations.check(connection, options.schema());
      StatusReport report = StatusReport.read(connection, options.schema());
      return json ? report.json() : report.text();
    } catch (SQLException e) {
      throw new DatabaseException(FAILED, e);
    } catch (DataAccessException e) {
      SQLException cause = e.getCause(SQLException.class);
      if (cause == null) throw e;
      throw new DatabaseException(FAILED, cause);
    }
  }

  private void show(String report, boolean redraws) {
    shell.out().print((redraws ? CLEAR : "") + report + "\n");
    shell.out().flush();
  }

  private void pause() throws InterruptedException {
    long deadline = System.nanoTime() + (long) (watch * 1e9);
    for (long left = deadline - System.nanoTime(); left > 0; left = deadline - System.nanoTime()) {
      LockSupport.parkNanos(left);
      if (Thread.interrupted()) throw new InterruptedException();
    }
  }
}
