package dev.dibs.console;

import dev.dibs.Page;
import dev.dibs.TaskFilter;
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
  private static final int LONGEST_PLACE = 1_000;
  private static final String AFTER = "after";
  private static final String BEFORE = "before";

  /** In place of a cursor: behind the last task. */
  private static final String END = "end";

  private static final String LOST =
      "That place in the list is not known here: this is the first page.";

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
    TaskList list;
    try {
      list = list(visit.query(), query, query.filter(frame.now()));
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest(e.getMessage() + ".");
    }
    return Answer.page(200, SafeOutput.of(out -> JtetasksGenerated.render(out, out, frame, list)));
  }

  private TaskList list(Fields asked, TaskQuery query, TaskFilter filter) {
    Optional<String> after = asked.text(AFTER, LONGEST_PLACE);
    Optional<String> before = asked.text(BEFORE, LONGEST_PLACE);
    if (after.isPresent() && before.isPresent())
      throw Refusal.badRequest("A list goes on 'after' a place or ends 'before' one, not both.");
    if (before.equals(Optional.of(END))) return before(query, filter, Optional.empty());
    Optional<Page.Cursor> end = before.flatMap(text -> verified(query, BEFORE, text));
    if (end.isPresent()) return before(query, filter, end);
    Optional<Page.Cursor> start = after.flatMap(text -> verified(query, AFTER, text));
    boolean isLost = start.isEmpty() && (after.isPresent() || before.isPresent());
    Page<TaskRow> page = desk.reads().list(filter, start, query.size());
    Optional<Url> previous = start.isEmpty() ? Optional.empty() : Optional.of(back(query, page));
    return shown(query, page, previous, page.next(), isLost ? Optional.of(LOST) : Optional.empty());
  }

  /** The page that ends there; where less than a page is left it is the first one. */
  private TaskList before(TaskQuery query, TaskFilter filter, Optional<Page.Cursor> end) {
    Page<TaskRow> page = desk.reads().listBack(filter, end, query.size());
    if (page.previous().isEmpty()) {
      Page<TaskRow> first = desk.reads().list(filter, Optional.empty(), query.size());
      return shown(query, first, Optional.empty(), first.next(), Optional.empty());
    }
    // Where nothing was found the way forth begins where the look ended, too.
    Optional<Page.Cursor> next = end.isEmpty() ? page.next() : page.next().or(page::previous);
    return shown(query, page, Optional.of(back(query, page)), next, Optional.empty());
  }

  /** Where nothing was found the way back begins where the look ended, or at the end of all. */
  private Url back(TaskQuery query, Page<TaskRow> page) {
    return page.previous()
        .or(page::next)
        .map(place -> query.url().with(BEFORE, signed(query, BEFORE, place)))
        .orElse(query.url().with(BEFORE, END));
  }

  private TaskList shown(
      TaskQuery query,
      Page<TaskRow> page,
      Optional<Url> previous,
      Optional<Page.Cursor> next,
      Optional<String> notice) {
    Optional<Url> on = next.map(place -> query.url().with(AFTER, signed(query, AFTER, place)));
    return new TaskList(query, page, previous, on, notice, desk.sampler().latest());
  }

  /** A cursor belongs to its filters and to its direction. */
  private String signed(TaskQuery query, String direction, Page.Cursor cursor) {
    return cursor.text() + "." + signature(query, direction, cursor.text());
  }

  private String signature(TaskQuery query, String direction, String cursor) {
    return secrets.sign(direction, query.url() + "\n" + cursor).substring(0, SIGNATURE);
  }

  private Optional<Page.Cursor> verified(TaskQuery query, String direction, String text) {
    int dot = text.lastIndexOf('.');
    if (dot < 0) return Optional.empty();
    String cursor = text.substring(0, dot);
    return Secrets.same(signature(query, direction, cursor), text.substring(dot + 1))
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
