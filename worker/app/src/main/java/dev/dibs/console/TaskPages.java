package dev.dibs.console;

import dev.dibs.Page;
import dev.dibs.TaskPage;
import dev.dibs.TaskRow;
import dev.dibs.operations.Explanation;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The list of tasks, and one task. */
final class TaskPages {
  private static final int SIGNATURE = 16;

  private final Desk desk;
  private final Secrets secrets;

  TaskPages(Desk desk, Secrets secrets) {
    this.desk = desk;
    this.secrets = secrets;
  }

  List<Route> routes() {
    return List.of(
        Route.get("/tasks", this::list),
        Route.get("/find", this::find),
        Route.get("/tasks/{id}", this::one),
        Route.action("POST", "/tasks/{id}/reveal", Role.OPERATOR, this::reveal));
  }

  private Answer list(Visit visit) {
    TaskQuery query = TaskQuery.parse(visit.query());
    Frame frame = desk.site().frame(visit, "Tasks");
    Optional<String> after = visit.query().text("after", 1_000);
    Optional<Page.Cursor> cursor = after.flatMap(text -> verified(query, text));
    Optional<String> notice =
        after.isPresent() && cursor.isEmpty()
            ? Optional.of("That place in the list is not known here: this is the first page.")
            : Optional.empty();
    TaskList list = list(frame, query, cursor, notice);
    return Answer.page(200, SafeOutput.of(out -> JtetasksGenerated.render(out, out, frame, list)));
  }

  private TaskList list(
      Frame frame, TaskQuery query, Optional<Page.Cursor> cursor, Optional<String> notice) {
    Page<TaskRow> page;
    try {
      page = desk.reads().list(query.filter(frame.now()), cursor, query.size());
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest(e.getMessage() + ".");
    }
    Optional<Url> next = page.next().map(end -> query.url().with("after", signed(query, end)));
    return new TaskList(query, page, next, cursor.isEmpty(), notice, desk.sampler().latest());
  }

  /** A cursor belongs to its filters. */
  private String signed(TaskQuery query, Page.Cursor cursor) {
    return cursor.text() + "." + signature(query, cursor.text());
  }

  private String signature(TaskQuery query, String cursor) {
    return secrets.sign("cursor", query.url() + "\n" + cursor).substring(0, SIGNATURE);
  }

  private Optional<Page.Cursor> verified(TaskQuery query, String text) {
    int dot = text.lastIndexOf('.');
    if (dot < 0) return Optional.empty();
    String cursor = text.substring(0, dot);
    return Secrets.same(signature(query, cursor), text.substring(dot + 1))
        ? Optional.of(new Page.Cursor(cursor))
        : Optional.empty();
  }

  /** From the field in the list's filters straight to a task. */
  private Answer find(Visit visit) {
    UUID id =
        visit
            .query()
            .only(java.util.Set.of("id"))
            .id("id")
            .orElseThrow(() -> Refusal.badRequest("'id' is missing."));
    return Answer.to(Url.of("tasks", id.toString()));
  }

  private Answer one(Visit visit) {
    return page(visit, Optional.empty());
  }

  private Answer reveal(Visit visit) {
    String why = visit.form().text("why", 500).orElse("");
    UUID request = visit.form().id("request").orElseGet(UUID::randomUUID);
    Optional<String> payload = desk.writes().reveal(visit.id(), Desk.request(visit, request, why));
    return page(visit, payload);
  }

  private Answer page(Visit visit, Optional<String> payload) {
    Frame frame = desk.site().frame(visit, "Task " + Sample.shortId(visit.id()));
    Optional<TaskPage> found = desk.reads().find(visit.id());
    if (found.isEmpty()) throw unknown(visit.id());
    var shown =
        new TaskView(
            found.get(),
            explained(visit.id()),
            payload,
            desk.sampler().latest(),
            UUID.randomUUID());
    return Answer.page(200, SafeOutput.of(out -> JtetaskGenerated.render(out, out, frame, shown)));
  }

  /** A part of the page that fails alone. */
  private Optional<Explanation> explained(UUID id) {
    try {
      return Optional.of(desk.explainer().explain(id));
    } catch (dev.dibs.DatabaseException e) {
      return Optional.empty();
    }
  }

  private static Refusal unknown(UUID id) {
    String made =
        id.version() == 7
            ? " It was made about "
                + Instant.ofEpochMilli(id.getMostSignificantBits() >>> 16)
                + "; its history may have been pruned since."
            : "";
    return Refusal.notFound("Task " + id + " is neither unfinished nor in the history." + made);
  }
}
