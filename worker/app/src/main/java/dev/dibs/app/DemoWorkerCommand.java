package dev.dibs.app;

import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.DatabaseException;
import dev.dibs.worker.Handlers;
import dev.dibs.worker.Worker;
import dev.dibs.worker.WorkerSettings;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.Callable;
import javax.sql.DataSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** One worker process of the demo; {@link DemoProcesses} starts it. */
@Command(name = "demo-worker", hidden = true, description = "A worker process of the demo.")
final class DemoWorkerCommand implements Callable<Integer> {
  private static final Duration ANSWER = Duration.ofSeconds(30);

  private final Shell shell;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  @Option(names = "--process", required = true, description = "The name of this process.")
  String process = "";

  @Option(names = "--queue", required = true, description = "The queue it serves.")
  String queue = "";

  @Option(names = "--demo-schema", required = true, description = "Where the demo's tables are.")
  String demoSchema = "";

  @Option(names = "--concurrency", required = true, description = "Tasks at a time.")
  int concurrency;

  @Option(
      names = "--lease",
      required = true,
      description = "How long a silent process keeps its tasks.")
  Duration lease = Duration.ZERO;

  @Option(names = "--naive", description = "Without locks, without the transactional completion.")
  boolean naive;

  DemoWorkerCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    Database database = options.await(shell, "demo " + process);
    DataSource plain = database.plain(Duration.ZERO);
    var meters = new SimpleMeterRegistry();
    try (HikariDataSource pool = database.withSearchPath(demoSchema).pooled(concurrency, ANSWER)) {
      Worker worker =
          Worker.on(plain)
              .transactions(pool)
              .queue(queue, concurrency)
              .handlers(handlers(pool))
              .metrics(meters)
              .settings(WorkerSettings.DEFAULT.withSchema(database.schema()).withLease(lease))
              .start();
      AtExit.add(() -> {
        worker.close();
        report(plain, refusals(meters));
      });
      worker.awaitShutdown();
    }
    return 0;
  }

  private Handlers handlers(DataSource pool) {
    return naive
        ? new NaiveDemoHandlers(pool, process).handlers()
        : new DemoHandlers(process).handlers();
  }

  private static int refusals(SimpleMeterRegistry meters) {
    return (int)
        meters.find("dibs.lease.lost").counters().stream().mapToDouble(Counter::count).sum();
  }

  /** Tells the demo how many outcomes of this process were refused. */
  private void report(DataSource plain, int refusals) {
    try (Connection connection = plain.getConnection();
        var statement =
            connection.prepareStatement("insert into " + demoSchema + ".refusal values (?, ?)")) {
      statement.setString(1, process);
      statement.setInt(2, refusals);
      statement.executeUpdate();
    } catch (SQLException e) {
      shell.say("process " + process + " could not report: " + DatabaseException.reason(e));
    }
  }
}
