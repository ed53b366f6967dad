package dev.dibs.console;

import dev.dibs.TaskRow;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Errors that are alike, put together: of the newest DEAD tasks, as many as were looked at.
 *
 * @param looked how many that were
 * @param isAll whether there are no more
 */
record Failures(List<Group> groups, int looked, boolean isAll) {
  /** Tasks of one kind whose last error is of one type and says the same but for numbers. */
  record Group(String kind, String type, String message, List<TaskRow> tasks) {
    Instant first() {
      return tasks.getLast().times().finished().orElse(Instant.EPOCH);
    }

    Instant last() {
      return tasks.getFirst().times().finished().orElse(Instant.EPOCH);
    }

    /** The list of them: what their messages share is what is looked for. */
    Url open() {
      return Url.of("tasks")
          .with("status", "DEAD")
          .with("kind", kind)
          .with("error", type.isEmpty() ? Optional.empty() : Optional.of(type));
    }

    /**
     * What they share, as a filter can say it: class and message up to where they differ. Nothing
     * where no error was kept, as that would be all tasks of the kind.
     */
    Optional<String> shared() {
      if (type.isEmpty()) return Optional.empty();
      String text = message.isEmpty() ? type : type + ": " + message;
      int end = text.indexOf('…');
      String same = end < 0 ? text : text.substring(0, end);
      return Optional.of(Show.cut(same, TaskQuery.LONGEST).strip());
    }

    boolean isOfDeadWorkers() {
      return tasks.getFirst().tries().losses() >= 3;
    }
  }

  private record Key(String kind, String type, String message) {}

  /** Groups rows that come newest first; the group that was last seen first. */
  static Failures of(List<TaskRow> rows, int looked, boolean isAll) {
    Map<Key, List<TaskRow>> groups = new HashMap<>();
    for (TaskRow row : rows) groups.computeIfAbsent(key(row), key -> new ArrayList<>()).add(row);
    List<Group> sorted =
        groups.entrySet().stream()
            .map(e ->
                new Group(e.getKey().kind(), e.getKey().type(), e.getKey().message(), e.getValue()))
            .sorted(Comparator.comparing(Group::last).reversed())
            .toList();
    return new Failures(sorted, looked, isAll);
  }

  private static Key key(TaskRow row) {
    return row.lastError()
        .map(error ->
            new Key(row.kind(), error.type(), withoutNumbers(Show.firstLine(error.message(), 120))))
        .orElse(new Key(row.kind(), "", ""));
  }

  /** Ids and numbers tell tasks apart and not errors. */
  static String withoutNumbers(String message) {
    return message
        .replaceAll("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "…")
        .replaceAll("\\d+", "…");
  }
}
