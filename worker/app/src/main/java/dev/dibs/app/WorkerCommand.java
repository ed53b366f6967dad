package dev.dibs.app;

import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.DatabaseException;
import dev.dibs.console.ConsoleSettings;
import dev.dibs.sql.Migrations;
import dev.dibs.worker.Worker;
import dev.dibs.worker.WorkerBuilder;
import dev.dibs.worker.WorkerSettings;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code dibs worker}: runs tasks until a signal ends it; then it drains. */
@Command(
    name = "worker",
    description = {
      "Run tasks of the kinds http, exec and noop, and those of your own jars.",
      "",
      "SIGTERM ends it: it claims no more, waits for what runs, gives back the rest."
    })
final class WorkerCommand implements Callable<Integer> {
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(30);

  /** Of a statement of a handler's own: long, but a connection that leads nowhere ends some day. */
  private static final Duration LONGEST_HANDLER_STATEMENT = Duration.ofMinutes(10);

  /** A batch of a bulk that is under way at the end gets so long. */
  private static final Duration LET_GO = Duration.ofSeconds(10);

  private static final int ID_SHOWN = 8;

  private final Shell shell;

  @Mixin EngineOptions engine = new EngineOptions();
  @Mixin HandlerOptions handling = new HandlerOptions();
  @Mixin AdminOptions watching = new AdminOptions();
  @Mixin WorkerConsoleOptions showing = new WorkerConsoleOptions();
  @Mixin DatabaseOptions options = new DatabaseOptions();

  WorkerCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    watching.logFormat.apply();
    WorkerSettings settings = engine.settings(options.schema());
    int transactions = engine.transactions();
    Optional<ConsoleSettings> shown = showing.settings();
    if (shown.isPresent()) ServerLimits.setForStreams(); // before any server of this process
    try (var handlers = handling.load();
        @Nullable AdminEndpoint admin = watching.open();
        Database database = options.findOrStart(shell, "worker");
        HikariDataSource pool = database.pooled(transactions, LONGEST_HANDLER_STATEMENT);
        @Nullable OpenConsole console =
            shown.isEmpty() ? null : OpenConsole.on(database, shown.get())) {
      pool.setMinimumIdle(0); // most workers' handlers open no transaction
      WorkerBuilder builder =
          Worker.on(database.plain(LONGEST_ANSWER)).transactions(pool).settings(settings);
      engine.queues().forEach(share -> builder.queue(share.queue(), share.concurrency()));
      if (admin != null) builder.metrics(admin.registry());
      if (watching.logFormat == LogFormat.JSON) builder.logContext();
      try (Worker worker = handlers.start(builder);
          @Nullable QueueGauges gauges =
              admin == null
                  ? null
                  : new QueueGauges(
                      database, engine.queueNames(), admin.registry(), watching.interval)) {
        if (admin != null) admin.show(worker, version(database));
        if (gauges != null) gauges.start();
        awaitEnd(worker, console, started(worker, database, handlers, admin));
      }
    }
    return 0;
  }

  /** The version of the schema, which the worker has just found to be one it works with. */
  private static int version(Database database) {
    try (Connection connection = database.plain(LONGEST_ANSWER).getConnection()) {
      return Migrations.version(connection, database.schema());
    } catch (SQLException e) {
      throw new DatabaseException("the version of the schema could not be read", e);
    }
  }

  /**
   * A signal drains the worker before the embedded database, which was added earlier, ends. Who
   * hears that it started may send one at once.
   */
  private void awaitEnd(Worker worker, @Nullable OpenConsole console, String started)
      throws InterruptedException {
    Runnable drain = console == null ? worker::close : () -> drain(worker, console);
    AtExit.add(drain);
    try {
      shell.out().println(started);
      if (console != null) shell.out().println(console.started());
      worker.awaitShutdown();
    } finally {
      AtExit.remove(drain);
    }
  }

  /**
   * The bulks of the console are let go beside the drain, so that a database that hangs keeps
   * neither waiting for the other.
   */
  private static void drain(Worker worker, OpenConsole console) {
    Instant latest = Instant.now().plus(LET_GO);
    Thread letGo = Thread.ofVirtual().start(console.console()::stopBulks);
    try {
      worker.close();
      letGo.join(Duration.between(Instant.now(), latest));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private String started(
      Worker worker, Database database, LoadedHandlers handlers, @Nullable AdminEndpoint admin) {
    return "dibs worker %s on %s (schema %s): queues %s; kinds %s; concurrency %d; admin %s"
        .formatted(
            worker.id().toString().substring(0, ID_SHOWN),
            database.url().toString().replaceFirst("\\?.*", ""),
            database.schema().name(),
            engine.queues().stream().map(QueueShare::toString).collect(Collectors.joining(", ")),
            String.join(", ", new TreeSet<>(handlers.kinds())),
            engine.concurrency(),
            admin == null ? "off" : admin.url());
  }
}
