package dev.dibs.console;

import dev.dibs.TaskFilter;
import dev.dibs.TaskRow;
import dev.dibs.TaskStatus;
import dev.dibs.WorkerRow;
import dev.dibs.operations.Finding;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Overview, workers and doctor: pages that show and do nothing. */
final class OtherPages {
  private static final int HELD = 50;

  private final Desk desk;

  OtherPages(Desk desk) {
    this.desk = desk;
  }

  List<Route> routes() {
    return List.of(
        Route.get("/", this::overview),
        Route.get("/workers", this::workers),
        Route.get("/workers/{id}", this::worker),
        Route.get("/doctor", this::doctor));
  }

  private Answer overview(Visit visit) {
    visit.query().only(Set.of());
    Optional<Sample> sample = desk.sampler().latest();
    Frame frame = desk.site().frame(visit, "Overview");
    if (sample.isEmpty())
      throw new Refusal(
          503, "The database does not answer", "The console goes on by itself when it is back.");
    var overview =
        new Overview(
            sample.get(), desk.sampler().history(), desk.sampler().findings().orElse(List.of()));
    return Answer.page(
        200, SafeOutput.of(out -> JteoverviewGenerated.render(out, out, frame, overview)));
  }

  private Answer workers(Visit visit) {
    String queue = visit.query().only(Set.of("queue")).text("queue", 128).orElse("");
    Frame frame = desk.site().frame(visit, "Workers");
    List<WorkerRow> workers =
        desk.reads().workers().stream()
            .filter(worker -> queue.isEmpty() || worker.queues().contains(queue))
            .toList();
    return Answer.page(
        200, SafeOutput.of(out -> JteworkersGenerated.render(out, out, frame, workers, queue)));
  }

  private Answer worker(Visit visit) {
    WorkerRow worker =
        desk.reads().workers().stream()
            .filter(row -> row.id().equals(visit.id()))
            .findFirst()
            .orElseThrow(() ->
                Refusal.notFound(
                    "There is no worker "
                        + visit.id()
                        + " any more; the rows of the dead go after a while."));
    Optional<List<TaskRow>> held =
        desk.rows(TaskFilter.of(TaskStatus.PROCESSING).worker(worker.id()), HELD);
    Frame frame = desk.site().frame(visit, Sample.name(worker));
    return Answer.page(
        200, SafeOutput.of(out -> JteworkerGenerated.render(out, out, frame, worker, held)));
  }

  private Answer doctor(Visit visit) {
    visit.query().only(Set.of());
    desk.sampler().latest();
    Optional<List<Finding>> findings = desk.sampler().findings();
    Frame frame = desk.site().frame(visit, "Doctor");
    return Answer.page(
        200, SafeOutput.of(out -> JtedoctorGenerated.render(out, out, frame, findings)));
  }
}
