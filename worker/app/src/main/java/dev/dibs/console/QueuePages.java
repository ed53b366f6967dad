package dev.dibs.console;

import dev.dibs.KindRow;
import dev.dibs.TaskFilter;
import dev.dibs.TaskRow;
import dev.dibs.TaskStatus;
import java.util.List;
import java.util.Optional;

/** Queues and kinds. */
final class QueuePages {
  private static final int DEAD = 10;

  private final Desk desk;

  QueuePages(Desk desk) {
    this.desk = desk;
  }

  List<Route> routes() {
    return List.of(
        Route.get("/queues", this::queues),
        Route.get("/queues/{name}", this::queue),
        Route.get("/kinds", this::kinds),
        Route.get("/kinds/{name}", this::kind));
  }

  private Answer queues(Visit visit) {
    Fields query = visit.query().only(java.util.Set.of("q", "sort"));
    Frame frame = desk.site().frame(visit, "Queues");
    boolean byName = query.oneOf("sort", List.of("worst", "name")).equals("name");
    String prefix = query.text("q", 128).orElse("");
    Optional<Sample> sample = desk.sampler().latest();
    List<Sample.Queue> shown =
        sample.map(seen -> byName ? seen.queues() : seen.worstFirst()).orElse(List.of()).stream()
            .filter(queue -> queue.name().startsWith(prefix))
            .toList();
    var table = new QueueTable(sample, shown, desk.sampler().history());
    return Answer.page(
        200, SafeOutput.of(out -> JtequeuesGenerated.render(out, out, frame, table, prefix)));
  }

  private Answer queue(Visit visit) {
    Frame frame = desk.site().frame(visit, visit.name());
    String name = visit.name();
    Optional<Sample> sample = desk.sampler().latest();
    List<Sample.Queue> shown = desk.sampler().queue(name).stream().toList();
    Optional<List<TaskRow>> dead = desk.rows(TaskFilter.of(TaskStatus.DEAD).queue(name), DEAD);
    var table = new QueueTable(sample, shown, desk.sampler().history());
    return Answer.page(
        200, SafeOutput.of(out -> JtequeueGenerated.render(out, out, frame, table, dead)));
  }

  private Answer kinds(Visit visit) {
    String prefix = visit.query().only(java.util.Set.of("q")).text("q", 128).orElse("");
    Frame frame = desk.site().frame(visit, "Kinds");
    List<KindRow> kinds =
        desk.reads().kinds().stream().filter(kind -> kind.name().startsWith(prefix)).toList();
    return Answer.page(
        200, SafeOutput.of(out -> JtekindsGenerated.render(out, out, frame, kinds, prefix)));
  }

  private Answer kind(Visit visit) {
    Frame frame = desk.site().frame(visit, visit.name());
    String name = visit.name();
    KindRow kind =
        desk.reads().kinds().stream()
            .filter(row -> row.name().equals(name))
            .findFirst()
            .orElse(new KindRow(name, Optional.empty(), 0));
    Optional<List<TaskRow>> running = of(TaskStatus.PROCESSING, name);
    Optional<List<TaskRow>> dead = of(TaskStatus.DEAD, name);
    return Answer.page(
        200, SafeOutput.of(out -> JtekindGenerated.render(out, out, frame, kind, running, dead)));
  }

  private Optional<List<TaskRow>> of(TaskStatus status, String kind) {
    return desk.rows(TaskFilter.of(status).kind(kind), DEAD);
  }
}
