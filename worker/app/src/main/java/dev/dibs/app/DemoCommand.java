package dev.dibs.app;

import static java.util.Comparator.comparingLong;

import dev.dibs.DatabaseException;
import dev.dibs.producer.Producer;
import dev.dibs.producer.ProducerSettings;
import dev.dibs.sql.Migrations;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code dibs demo}: the whole way of many tasks through several processes, one of which is killed.
 */
@Command(
    name = "demo",
    description = {
      "Run transfers, bookings and acceptances in several worker processes, kill one of them, and check the result.",
      "Uses an embedded PostgreSQL of its own unless --database-url is given."
    })
final class DemoCommand implements Callable<Integer> {
  private static final Duration LEASE = Duration.ofSeconds(2);
  private static final Duration LOOK_EVERY = Duration.ofMillis(200);
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final double MIDDLE = 0.4;
  private static final int MOST_PROCESSES = 32;

  private final Shell shell;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  @Option(
      names = "--tasks",
      paramLabel = "N",
      defaultValue = "20000",
      description = "How many tasks.")
  int tasks;

  @Option(
      names = "--processes",
      paramLabel = "N",
      defaultValue = "4",
      description = "How many worker processes.")
  int processes;

  @Option(
      names = "--concurrency",
      paramLabel = "N",
      defaultValue = "16",
      description = "Tasks at a time in each.")
  int concurrency;

  @Option(
      names = "--naive",
      description =
          "The same handlers without locks and transactional completion; the checks must fail.")
  boolean naive;

  @Option(names = "--json", description = "Print one JSON object last, and the table to err.")
  boolean json;

  DemoCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    DemoSize size = DemoSize.of(tasks);
    requireBetween("--processes", processes, MOST_PROCESSES);
    requireBetween("--concurrency", concurrency, 1_000);
    try (Database database = database()) {
      DataSource source = database.plain(Duration.ZERO);
      Migrations.migrate(source, database.schema());
      try (Connection connection = source.getConnection()) {
        return run(database, source, DSL.using(connection, SQLDialect.POSTGRES), size);
      } catch (SQLException e) {
        throw new DatabaseException("the demo could not go on", e);
      }
    }
  }

  private static void requireBetween(String option, int value, int most) {
    if (value < 1 || value > most)
      throw new UsageException(option + " must be 1 to " + most + ", was " + value);
  }

  private Database database() throws InterruptedException {
    return options.url == null ? options.startPrivate(shell, "demo") : options.find(shell, "demo");
  }

  private int run(Database database, DataSource source, DSLContext dsl, DemoSize size)
      throws InterruptedException {
    String run = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt(), 6);
    String queue = "demo-" + run;
    String forget =
        "delete from \"%s\".task where queue = '%s'".formatted(database.schema().name(), queue);
    try (var own = new OwnSchema(database, shell, "dibs_demo_" + run, forget)) {
      var domain = new DemoDomain(own.name(), size);
      domain.create(dsl);
      enqueue(database, source, domain, queue);
      return work(database, dsl, domain, queue);
    }
  }

  private int work(Database database, DSLContext dsl, DemoDomain domain, String queue)
      throws InterruptedException {
    var board =
        new DemoBoard(
            json ? shell.err() : shell.out(),
            json ? shell.errIsTerminal() : shell.outIsTerminal(),
            domain.size().tasks());
    var plan = new DemoProcesses.Plan(database, queue, domain.schema(), concurrency, LEASE, naive);
    Map<String, String> notes = new HashMap<>();
    DemoProgress end;
    try (var members = new DemoProcesses(plan)) {
      for (int i = 0; i < processes; i++) members.start();
      board.say(
          "%,d tasks, %d worker processes, %d at a time each%s"
              .formatted(
                  domain.size().tasks(), processes, concurrency, naive ? ", naive handlers" : ""));
      end = watch(dsl, database.schema().name(), queue, board, members, notes);
      members.stop();
    }
    Map<String, Long> shares = new LinkedHashMap<>(end.byProcess());
    shares.keySet().removeAll(notes.keySet());
    DemoCheck check = DemoCheck.of(dsl, database.schema().name(), queue, domain.size(), shares);
    var report =
        new DemoReport(
            check, DemoReport.Pace.read(dsl, database.schema().name(), queue), end, notes);
    report.lines().forEach(board::say);
    if (json) shell.out().println(report.json());
    return check.ok() ? 0 : Errors.FAILED;
  }

  private static void enqueue(Database database, DataSource source, DemoDomain domain, String queue)
      throws InterruptedException {
    try (Producer producer =
        Producer.on(source, ProducerSettings.DEFAULT.withSchema(database.schema()))) {
      var tasks = domain.tasks(queue);
      for (int from = 0; from < tasks.size(); from += 5_000) {
        if (Thread.interrupted()) throw new InterruptedException();
        producer.enqueue(tasks.subList(from, Math.min(tasks.size(), from + 5_000)));
      }
    }
  }

  private static DemoProcesses.Member busiest(
      List<DemoProcesses.Member> members, DemoProgress progress) {
    return members.stream()
        .max(comparingLong(member -> progress.byProcess().getOrDefault(member.name(), 0L)))
        .orElseThrow();
  }

  /**
   * Shows the table until nothing is left to do; in the middle, kills a process and starts another.
   */
  private DemoProgress watch(
      DSLContext dsl,
      String dibs,
      String queue,
      DemoBoard board,
      DemoProcesses members,
      Map<String, String> notes)
      throws InterruptedException {
    long changedAt = System.nanoTime();
    long doneBefore = 0;
    while (true) {
      DemoProgress progress = DemoProgress.read(dsl, dibs, queue, members.members());
      board.show(progress, notes);
      if (progress.isOver()) return progress;
      if (notes.isEmpty() && progress.done() >= MIDDLE * tasks) {
        DemoProcesses.Member victim = busiest(members.members(), progress);
        members.kill(victim);
        DemoProcesses.Member next = members.start();
        notes.put(victim.name(), "killed by SIGKILL (pid " + victim.pid() + ")");
        notes.put(next.name(), "started instead");
        board.say(
            "SIGKILL to "
                + victim.name()
                + " (pid "
                + victim.pid()
                + "), "
                + next.name()
                + " starts instead");
      }
      if (progress.done() != doneBefore) changedAt = System.nanoTime();
      doneBefore = progress.done();
      if (System.nanoTime() - changedAt > PATIENCE.toNanos()) {
        throw new dev.dibs.DibsException(
            "nothing was done for " + PATIENCE.toSeconds() + " s: " + progress);
      }
      LockSupport.parkNanos(LOOK_EVERY.toNanos());
      if (Thread.interrupted()) throw new InterruptedException();
    }
  }
}
