package dev.dibs.operations;

import dev.dibs.operations.Doctor.Thresholds;
import dev.dibs.sql.CheckQueues;
import dev.dibs.sql.CheckTables;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/** Whether somebody takes, finishes and keeps the tasks. Immutable. */
final class QueueChecks {
  private final Schema schema;
  private final Thresholds thresholds;
  private final CheckQueues queues;
  private final CheckTables tables;

  QueueChecks(Schema schema, Thresholds thresholds) {
    this.schema = schema;
    this.thresholds = thresholds;
    this.queues = new CheckQueues(schema);
    this.tables = new CheckTables(schema);
  }

  List<Check> all() {
    String grant =
        "grant %s_viewer to this role; then `dibs migrate --roles`".formatted(schema.name());
    return List.of(
        new Check("workers", "whether any worker is alive", grant, this::workers),
        new Check("unserved-queues", "queues without workers", grant, this::unservedQueues),
        new Check("unknown-kinds", "kinds that nobody knows", grant, this::unknownKinds),
        new Check("paused", "what is paused", grant, this::paused),
        new Check("stuck-tasks", "tasks of dead workers", grant, this::stuckTasks),
        new Check("overdue-tasks", "scheduled tasks that are late", grant, this::overdueTasks),
        new Check("duties", "whether duties are done", grant, this::duties),
        new Check("producers-clock", "the clocks of producers", grant, this::producersClock),
        new Check("history-partitions", "partitions of history", grant, this::missingDays),
        new Check("history-pruned", "whether history is pruned", grant, this::overdueDays),
        new Check("default-partition", "the default partition", grant, this::defaultPartition));
  }

  private Finding workers(Connection connection, String name) throws SQLException {
    long alive = queues.workers(connection);
    return alive > 0
        ? Finding.ok(name, alive + " workers are alive")
        : Finding.note(name, "no worker is alive", List.of(), "start one: `dibs worker`");
  }

  private Finding unservedQueues(Connection connection, String name) throws SQLException {
    List<String> unserved =
        queues.unserved(connection).stream()
            .filter(queue -> queue.waited().compareTo(thresholds.overdue()) >= 0)
            .map(queue -> "'%s' for %s".formatted(queue.queue(), Spans.show(queue.waited())))
            .toList();
    return unserved.isEmpty()
        ? Finding.ok(name, "every queue where tasks wait has a worker")
        : Finding.attention(
            name,
            "tasks wait in a queue that no live worker serves: " + unserved.getFirst(),
            unserved,
            "start a worker for it: `dibs worker --queue NAME=20 …`");
  }

  private Finding unknownKinds(Connection connection, String name) throws SQLException {
    return whereAny(
        name,
        queues.unknownKinds(connection),
        kind -> "'%s' in queue '%s'".formatted(kind.kind(), kind.queue()),
        "every kind at the head of a lane is known to a worker of its queue",
        "tasks wait whose kind no worker of their queue knows: ",
        "deploy a worker with a handler for it, or correct its name where the task is made");
  }

  /** Attention where there are any. */
  private static <T> Finding whereAny(
      String name, List<T> found, Function<T, String> line, String good, String bad, String cure) {
    List<String> lines = found.stream().map(line).toList();
    return lines.isEmpty()
        ? Finding.ok(name, good)
        : Finding.attention(name, bad + lines.getFirst(), lines, cure);
  }

  private Finding paused(Connection connection, String name) throws SQLException {
    List<String> pauses = queues.pauses(connection).stream().map(QueueChecks::line).toList();
    return pauses.isEmpty()
        ? Finding.ok(name, "nothing is paused")
        : Finding.note(
            name, pauses.getFirst(), pauses, "resume it once what it was paused for is over");
  }

  private static String line(CheckQueues.Pause pause) {
    return "%s '%s' has been paused for %s%s%s"
        .formatted(
            pause.what(),
            pause.name(),
            Spans.show(pause.age()),
            pause.by().isEmpty() ? "" : " by " + pause.by(),
            pause.why().isEmpty() ? "" : ": " + pause.why());
  }

  private Finding stuckTasks(Connection connection, String name) throws SQLException {
    return whereAny(
        name,
        queues.silentHolders(connection, thresholds.overdue()),
        holder ->
            "%s tasks of worker %s on %s, silent for %s"
                .formatted(
                    holder.tasks() < 1_000 ? holder.tasks() : "1000 and more",
                    holder.worker(),
                    holder.host().isEmpty() ? "no row" : holder.host(),
                    Spans.show(holder.silent())),
        "no task is held by a worker that is gone",
        "tasks are held by a worker that is gone, and nobody rescues them: ",
        "start a worker, whatever queue it serves; where one runs, read its log");
  }

  private Finding overdueTasks(Connection connection, String name) throws SQLException {
    CheckQueues.Overdue overdue = queues.overdue(connection, thresholds.overdue());
    return overdue.tasks() == 0
        ? Finding.ok(name, "what is due is made ready")
        : Finding.attention(
            name,
            "%s scheduled tasks are due and nobody made them ready, the first for %s"
                .formatted(
                    overdue.tasks() > 10_000 ? "more than 10000" : overdue.tasks(),
                    Spans.show(overdue.most())),
            List.of(),
            "start a worker, whatever queue it serves; where one runs, read its log");
  }

  private Finding duties(Connection connection, String name) throws SQLException {
    return whereAny(
        name,
        queues.lateDuties(connection, thresholds.overdue()),
        duty -> "%s by %s".formatted(duty.name(), Spans.show(duty.late())),
        "duties are done when they are due",
        "a duty is late: ",
        "start a worker, `dibs worker` or one in Java; where one runs, read its log");
  }

  private Finding producersClock(Connection connection, String name) throws SQLException {
    Duration ahead = queues.producersAhead(connection).orElse(Duration.ZERO);
    return ahead.compareTo(thresholds.clockSkew()) < 0
        ? Finding.ok(name, "no id of the newest tasks comes from the future")
        : Finding.note(
            name,
            "the clock of a producer is %s ahead of the database's".formatted(Spans.show(ahead)),
            List.of(),
            "synchronise clocks (NTP); look-ups of its tasks by time are off by so much");
  }

  private Finding missingDays(Connection connection, String name) throws SQLException {
    List<String> missing = tables.missingDays(connection);
    return missing.isEmpty()
        ? Finding.ok(name, "history has its partitions up to the day after tomorrow")
        : Finding.attention(
            name,
            "history has no partition for " + String.join(", ", missing),
            List.of(),
            "select \"%s\".create_history_partitions(3); and see duties".formatted(schema.name()));
  }

  private Finding overdueDays(Connection connection, String name) throws SQLException {
    List<String> overdue = tables.overdueDays(connection);
    return overdue.isEmpty()
        ? Finding.ok(name, "no history is kept for longer than it should be")
        : Finding.attention(
            name,
            "history is not pruned: the partition of %s should be gone"
                .formatted(overdue.getFirst()),
            overdue,
            "select \"%s\".prune_history(); its error says what keeps it".formatted(schema.name()));
  }

  private Finding defaultPartition(Connection connection, String name) throws SQLException {
    long rows = tables.rowsInDefault(connection);
    return rows == 0
        ? Finding.ok(name, "the default partition of history is empty")
        : Finding.note(
            name,
            "%,d rows of history are in the default partition".formatted(rows),
            List.of(),
            "nothing, if history-partitions is well: they go when every retention has passed");
  }
}
