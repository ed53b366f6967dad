package dev.dibs.app;

import dev.dibs.TaskStatus;
import dev.dibs.sql.CountTasks;
import dev.dibs.sql.CountTasks.Depth;
import dev.dibs.sql.CountTasks.Member;
import dev.dibs.sql.CountTasks.Rate;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What {@code dibs status} shows: depths, rates and workers at one moment, as text or JSON.
 * Immutable.
 */
record StatusReport(List<Depth> depths, List<Rate> rates, List<Member> workers) {
  private static final List<TaskStatus> WAITING =
      List.of(TaskStatus.SCHEDULED, TaskStatus.BLOCKED, TaskStatus.PENDING, TaskStatus.PROCESSING);
  private static final List<TaskStatus> ENDED =
      List.of(TaskStatus.SUCCEEDED, TaskStatus.DEAD, TaskStatus.CANCELLED);
  private static final JsonMapper JSON = JsonMapper.shared();

  StatusReport {
    depths = List.copyOf(depths);
    rates = List.copyOf(rates);
    workers = List.copyOf(workers);
  }

  static StatusReport read(Connection connection, Schema schema) {
    var tasks = new CountTasks(schema);
    return new StatusReport(
        tasks.depths(connection), tasks.lastMinute(connection), tasks.workers(connection));
  }

  private Set<String> queues() {
    Set<String> queues = new TreeSet<>();
    depths.forEach(depth -> queues.add(depth.queue()));
    rates.forEach(rate -> queues.add(rate.queue()));
    return queues;
  }

  private long depth(String queue, TaskStatus status) {
    return depths.stream()
        .filter(depth -> depth.queue().equals(queue) && depth.status() == status)
        .mapToLong(Depth::tasks)
        .sum();
  }

  private long rate(String queue, TaskStatus status) {
    return rates.stream()
        .filter(rate -> rate.queue().equals(queue) && rate.status() == status)
        .mapToLong(Rate::tasks)
        .sum();
  }

  private Optional<Duration> oldest(String queue) {
    return depths.stream()
        .filter(depth -> depth.queue().equals(queue))
        .flatMap(depth -> depth.oldest().stream())
        .findFirst();
  }

  /** Two tables, queues and workers. */
  String text() {
    var queues =
        new TextTable(
            "QUEUE",
            "SCHEDULED",
            "BLOCKED",
            "PENDING",
            "OLDEST",
            "PROCESSING",
            "SUCCEEDED/MIN",
            "DEAD/MIN",
            "CANCELLED/MIN");
    for (String queue : queues()) {
      queues.add(
          queue,
          depth(queue, TaskStatus.SCHEDULED),
          depth(queue, TaskStatus.BLOCKED),
          depth(queue, TaskStatus.PENDING),
          oldest(queue).map(DurationText::show).orElse("-"),
          depth(queue, TaskStatus.PROCESSING),
          rate(queue, TaskStatus.SUCCEEDED),
          rate(queue, TaskStatus.DEAD),
          rate(queue, TaskStatus.CANCELLED));
    }
    var members = new TextTable("WORKER", "PID", "UP", "RUNNING", "STATUS", "QUEUES", "VERSION");
    for (Member worker : workers) {
      members.add(
          worker.host(),
          worker.pid(),
          DurationText.show(worker.state().up()),
          worker.state().running() + "/" + worker.concurrency(),
          worker.state().status(),
          String.join(" ", worker.queues()),
          worker.version());
    }
    return (queues.isEmpty() ? "no tasks\n" : lines(queues))
        + "\n"
        + (members.isEmpty() ? "no workers\n" : lines(members));
  }

  private static String lines(TextTable table) {
    return String.join("\n", table.lines()) + "\n";
  }

  /** One object: queues and workers. */
  String json() {
    ObjectNode root = JSON.createObjectNode();
    var queues = root.putArray("queues");
    for (String queue : queues()) {
      ObjectNode node = queues.addObject().put("queue", queue);
      ObjectNode tasks = node.putObject("tasks");
      for (TaskStatus status : WAITING) tasks.put(status.name(), depth(queue, status));
      oldest(queue).ifPresent(age -> node.put("oldestPendingSeconds", seconds(age)));
      ObjectNode ended = node.putObject("lastMinute");
      for (TaskStatus status : ENDED) ended.put(status.name(), rate(queue, status));
    }
    var members = root.putArray("workers");
    for (Member worker : workers) {
      ObjectNode node =
          members
              .addObject()
              .put("id", worker.id().toString())
              .put("host", worker.host())
              .put("pid", worker.pid())
              .put("version", worker.version())
              .put("status", worker.state().status())
              .put("upSeconds", seconds(worker.state().up()))
              .put("running", worker.state().running())
              .put("concurrency", worker.concurrency());
      var served = node.putArray("queues");
      worker.queues().forEach(served::add);
    }
    return root.toString();
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1e3;
  }
}
