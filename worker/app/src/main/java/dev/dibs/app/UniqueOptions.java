package dev.dibs.app;

import dev.dibs.OnConflict;
import dev.dibs.Unique;
import dev.dibs.UniqueKey;
import dev.dibs.UniqueScope;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options, and the fields of a task file, that make a task unique. Owned by one thread. */
final class UniqueOptions {
  @Option(
      names = "--unique-key",
      paramLabel = "KEY",
      description = "Only one task of this key in its queue.")
  @Nullable String key;

  @Option(
      names = "--unique-by",
      paramLabel = "FIELD",
      split = ",",
      description = "Only one with these fields of the payload; instead of --unique-key.")
  List<String> fields = List.of();

  @Option(
      names = "--unique-until",
      paramLabel = "finished|started",
      description = "How long it keeps others of its key out; finished is the default.")
  @Nullable String until;

  @Option(
      names = "--unique-window",
      paramLabel = "TIME",
      description = "Keeps them out for at least 30s, 5m, 2h, 1d too, also when it has finished.")
  @Nullable Duration window;

  @Option(
      names = "--on-conflict",
      paramLabel = "POLICY",
      description =
          "With another of its key: keep or reject; to change one that waits, replace, replace-payload or postpone.")
  @Nullable String onConflict;

  /** The same, to be changed for one line of a file. */
  UniqueOptions copy() {
    var copy = new UniqueOptions();
    copy.key = key;
    copy.fields = fields;
    copy.until = until;
    copy.window = window;
    copy.onConflict = onConflict;
    return copy;
  }

  /**
   * What they mean; empty where the task is not unique.
   *
   * @throws IllegalArgumentException if they mean nothing
   */
  Optional<Unique> unique() {
    if (key != null && !fields.isEmpty())
      throw new IllegalArgumentException("give either a unique key or the fields that make it");
    if (key == null && fields.isEmpty()) {
      if (until != null || window != null || onConflict != null)
        throw new IllegalArgumentException(
            "how long a key holds, its window and what becomes of a conflict need a unique key");
      return Optional.empty();
    }
    if (window != null && until != null)
      throw new IllegalArgumentException("give either how long a key holds, or its window");
    UniqueKey made = key == null ? new UniqueKey.OfFields(fields) : new UniqueKey.Given(key);
    OnConflict policy = onConflict == null ? OnConflict.KEEP : OnConflict.parse(onConflict);
    return Optional.of(new Unique(made, scope(), policy));
  }

  private UniqueScope scope() {
    if (window != null) return new UniqueScope.Window(window);
    return switch (until == null ? "finished" : until) {
      case "finished" -> new UniqueScope.WhileUnfinished();
      case "started" -> new UniqueScope.UntilStarted();
      default ->
          throw new IllegalArgumentException(
              "a unique key is held until finished or started, was '%s'".formatted(until));
    };
  }
}
