package dev.dibs.app;

import dev.dibs.TaskPage;
import dev.dibs.TaskRow;
import dev.dibs.Text;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Tasks in tables and as JSON; never what they carry. */
final class TaskText {
  private static final int ERROR_SHOWN = 60;

  private TaskText() {}

  static TextTable table(List<TaskRow> rows) {
    var table =
        new TextTable("ID", "STATUS", "QUEUE", "KIND", "PRIORITY", "TIME", "ATTEMPT", "LAST ERROR");
    for (TaskRow row : rows)
      table.add(
          row.id(),
          row.status(),
          row.queue(),
          row.kind(),
          row.priority().name().toLowerCase(java.util.Locale.ROOT),
          time(row).truncatedTo(ChronoUnit.SECONDS),
          row.attempt(),
          row.lastError()
              .map(error ->
                  Text.cut(Text.storable(error.type() + ": " + error.message()), ERROR_SHOWN))
              .orElse("-"));
    return table;
  }

  /** What the task's list is about: its end, the beginning of its run, or when it is to run. */
  private static Instant time(TaskRow row) {
    return row.times()
        .finished()
        .or(() ->
            row.status() == dev.dibs.TaskStatus.PROCESSING
                ? row.times().claimed()
                : java.util.Optional.empty())
        .orElse(row.times().runAt());
  }

  static ObjectNode json(TaskRow row) {
    ObjectNode node =
        JsonMapper.shared()
            .createObjectNode()
            .put("id", row.id().toString())
            .put("status", row.status().name())
            .put("queue", row.queue())
            .put("kind", row.kind())
            .put("priority", row.priority().level())
            .put("createdAt", row.times().created().toString())
            .put("runAt", row.times().runAt().toString())
            .put("attempt", row.attempt())
            .put("failures", row.tries().failures())
            .put("losses", row.tries().losses())
            .put("maxAttempts", row.tries().maxAttempts());
    row.times().claimed().ifPresent(at -> node.put("claimedAt", at.toString()));
    row.times().finished().ifPresent(at -> node.put("finishedAt", at.toString()));
    row.worker().ifPresent(worker -> node.put("worker", worker.toString()));
    row.labels().uniqueKey().ifPresent(key -> node.put("uniqueKey", key));
    if (!row.labels().headers().isEmpty()) {
      var headers = node.putObject("headers");
      row.labels().headers().forEach(headers::put);
    }
    row.lastError()
        .ifPresent(error ->
            node.putObject("lastError").put("class", error.type()).put("message", error.message()));
    return node;
  }

  static ObjectNode json(TaskPage page) {
    ObjectNode node = json(page.row());
    page.timeout().ifPresent(timeout -> node.put("timeout", timeout.toString()));
    var errors = node.putArray("errors");
    for (TaskPage.AttemptError error : page.errors())
      errors
          .addObject()
          .put("attempt", error.attempt())
          .put("at", error.at().toString())
          .put("class", error.type())
          .put("message", error.message())
          .put("stack", error.stack());
    return node;
  }

  /** A task for a person, line by line. */
  static List<String> lines(TaskPage page) {
    TaskRow row = page.row();
    List<String> lines = new ArrayList<>();
    lines.add("task      " + row.id());
    lines.add("status    " + row.status());
    lines.add(
        "queue     %s, priority %s"
            .formatted(row.queue(), row.priority().name().toLowerCase(java.util.Locale.ROOT)));
    lines.add("kind      " + row.kind());
    lines.add(
        "attempts  %d, of them %d of %d failed and %d lost their worker"
            .formatted(
                row.attempt(),
                row.tries().failures(),
                row.tries().maxAttempts(),
                row.tries().losses()));
    lines.add("created   " + row.times().created());
    lines.add("run at    " + row.times().runAt());
    row.times().claimed().ifPresent(at -> lines.add("claimed   " + at));
    row.times().finished().ifPresent(at -> lines.add("finished  " + at));
    row.worker().ifPresent(worker -> lines.add("worker    " + worker));
    page.timeout().ifPresent(timeout -> lines.add("timeout   " + DurationText.show(timeout)));
    row.labels().uniqueKey().ifPresent(key -> lines.add("key       " + key));
    row.labels()
        .headers()
        .forEach((name, value) -> lines.add("header    %s=%s".formatted(name, value)));
    for (TaskPage.AttemptError error : page.errors()) {
      lines.add(
          "attempt %d ended %s: %s: %s"
              .formatted(error.attempt(), error.at(), error.type(), error.message()));
      error.stack().lines().limit(20).forEach(line -> lines.add("    " + line.strip()));
    }
    return lines.stream().map(line -> Text.storable(line).replaceAll("[\\r\\n\\t]", " ")).toList();
  }
}
