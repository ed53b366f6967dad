package dev.dibs.console;

import dev.dibs.Page;
import dev.dibs.TaskFilter;
import dev.dibs.TaskRow;
import dev.dibs.TaskStatus;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** What broke, since when, and whether it still does. */
final class FailurePage {
  private static final int LOOK = 1_000;

  private final Desk desk;

  FailurePage(Desk desk) {
    this.desk = desk;
  }

  List<Route> routes() {
    return List.of(Route.get("/failures", this::page));
  }

  /** What is asked for, for the template. */
  record Asked(String hours, Optional<String> queue, Optional<String> kind) {
    /** All that failed like this, run again: first shown, then done. */
    Optional<Url> retry(Failures.Group group) {
      return group
          .shared()
          .map(error ->
              Url.of("bulk", "new")
                  .with("do", TaskAction.RETRY.word())
                  .with("status", TaskStatus.DEAD.name())
                  .with("queue", queue)
                  .with("kind", group.kind())
                  .with("since", "-" + hours + "h")
                  .with("error", error));
    }

    /** How many filters narrow the list. */
    int set() {
      return (int) Stream.of(queue, kind).flatMap(Optional::stream).count();
    }
  }

  private Answer page(Visit visit) {
    Fields query = visit.query().only(Set.of("hours", "queue", "kind"));
    var asked =
        new Asked(
            query.oneOf("hours", List.of("24", "1", "6", "72", "168")),
            query.text("queue", 128),
            query.text("kind", 128));
    Frame frame = desk.site().frame(visit, "Failures");
    TaskFilter filter =
        TaskFilter.of(TaskStatus.DEAD)
            .since(frame.now().minus(Duration.ofHours(Long.parseLong(asked.hours()))));
    if (asked.queue().isPresent()) filter = filter.queue(asked.queue().get());
    if (asked.kind().isPresent()) filter = filter.kind(asked.kind().get());
    Page<TaskRow> page;
    try {
      page = desk.reads().list(filter, LOOK);
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest(e.getMessage() + ".");
    }
    Failures failures = Failures.of(page.rows(), page.rows().size(), page.isLast());
    return Answer.page(
        200, SafeOutput.of(out -> JtefailuresGenerated.render(out, out, frame, failures, asked)));
  }
}
