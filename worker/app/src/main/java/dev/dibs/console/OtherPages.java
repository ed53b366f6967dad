package dev.dibs.console;

import dev.dibs.AuditFilter;
import dev.dibs.AuditRow;
import dev.dibs.Page;
import dev.dibs.TaskFilter;
import dev.dibs.TaskRow;
import dev.dibs.TaskStatus;
import dev.dibs.WorkerRow;
import dev.dibs.operations.Finding;
import dev.dibs.sql.ListSchedules;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Overview, workers, schedules, doctor and audit: pages that show and do nothing. */
final class OtherPages {
  private static final int HELD = 50;
  private static final int AUDIT_ROWS = 50;

  private final Desk desk;
  private final ListSchedules schedules;

  OtherPages(Desk desk) {
    this.desk = desk;
    this.schedules = new ListSchedules(desk.database().schema());
  }

  List<Route> routes() {
    return List.of(
        Route.get("/", this::overview),
        Route.get("/workers", this::workers),
        Route.get("/workers/{id}", this::worker),
        Route.get("/schedules", this::schedules),
        Route.get("/doctor", this::doctor),
        Route.get("/audit", this::audit));
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

  private Answer schedules(Visit visit) throws SQLException {
    visit.query().only(Set.of());
    Frame frame = desk.site().frame(visit, "Schedules");
    List<ListSchedules.Row> rows;
    try (Connection connection = desk.database().reads().getConnection()) {
      rows = schedules.list(connection);
    }
    return Answer.page(
        200, SafeOutput.of(out -> JteschedulesGenerated.render(out, out, frame, rows)));
  }

  private Answer doctor(Visit visit) {
    visit.query().only(Set.of());
    desk.sampler().latest();
    Optional<List<Finding>> findings = desk.sampler().findings();
    Frame frame = desk.site().frame(visit, "Doctor");
    return Answer.page(
        200, SafeOutput.of(out -> JtedoctorGenerated.render(out, out, frame, findings)));
  }

  private Answer audit(Visit visit) {
    Fields query = visit.query().only(Set.of("who", "action", "target", "after"));
    AuditFilter filter = AuditFilter.ALL;
    Optional<String> who = query.text("who", 255);
    Optional<String> action = query.text("action", 64);
    Optional<String> target = query.text("target", 255);
    if (who.isPresent()) filter = filter.actor(who.get());
    if (action.isPresent()) filter = filter.action(action.get());
    if (target.isPresent()) filter = filter.target(target.get());
    Url url = Url.of("audit").with("who", who).with("action", action).with("target", target);
    Frame frame = desk.site().frame(visit, "Audit");
    Page<AuditRow> page;
    try {
      page =
          desk.reads().audit(filter, query.text("after", 1_000).map(Page.Cursor::new), AUDIT_ROWS);
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest(e.getMessage() + ".");
    }
    Optional<Url> next = page.next().map(end -> url.with("after", end.text()));
    var list = new AuditList(who, action, target, page.rows(), next);
    return Answer.page(200, SafeOutput.of(out -> JteauditGenerated.render(out, out, frame, list)));
  }

  /** A page of the audit, for the template. */
  record AuditList(
      Optional<String> who,
      Optional<String> action,
      Optional<String> target,
      List<AuditRow> rows,
      Optional<Url> next) {
    /** How many filters narrow the list. */
    int set() {
      return (int) Stream.of(who, action, target).flatMap(Optional::stream).count();
    }
  }
}
