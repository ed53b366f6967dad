package dev.dibs.console;

import dev.dibs.AuditFilter;
import dev.dibs.AuditRow;
import dev.dibs.Page;
import dev.dibs.TaskFilter;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** What was done by hand, on a page and, for admins, as a file. */
final class AuditPages {
  private static final int ROWS = 50;

  private final Desk desk;

  AuditPages(Desk desk) {
    this.desk = desk;
  }

  List<Route> routes() {
    return List.of(
        Route.get("/audit", this::page),
        new Route("GET", "/audit.csv", Optional.of(Role.ADMIN), false, this::file));
  }

  /** What is asked for; times as they were written. */
  record Query(
      Optional<String> who,
      Optional<String> action,
      Optional<String> target,
      Optional<String> since,
      Optional<String> until) {
    static Query of(Fields fields) {
      return new Query(
          fields.text("who", 255),
          fields.text("action", 64),
          fields.text("target", 255),
          fields.read("since", TaskQuery::time),
          fields.read("until", TaskQuery::time));
    }

    /** How many filters narrow the list. */
    int set() {
      return (int) Stream.of(who, action, target, since, until).flatMap(Optional::stream).count();
    }

    AuditFilter filter(java.time.Instant now) {
      AuditFilter filter = AuditFilter.ALL;
      if (who.isPresent()) filter = filter.actor(who.get());
      if (action.isPresent()) filter = filter.action(action.get());
      if (target.isPresent()) filter = filter.target(target.get());
      return filter.time(
          new TaskFilter.Span(
              since.map(text -> TaskQuery.instant(text, now)),
              until.map(text -> TaskQuery.instant(text, now))));
    }

    Url url(String path) {
      return Url.of(path)
          .with("who", who)
          .with("action", action)
          .with("target", target)
          .with("since", since)
          .with("until", until);
    }
  }

  /** A page of the audit, for the template. */
  record Shown(Query query, List<AuditRow> rows, Optional<Url> next) {}

  private Answer page(Visit visit) {
    Fields fields =
        visit.query().only(Set.of("who", "action", "target", "since", "until", "after"));
    Query query = Query.of(fields);
    Frame frame = desk.site().frame(visit, "Audit");
    Page<AuditRow> page;
    try {
      page =
          desk.reads()
              .audit(
                  query.filter(frame.now()),
                  fields.text("after", 1_000).map(Page.Cursor::new),
                  ROWS);
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest(e.getMessage() + ".");
    }
    Optional<Url> next = page.next().map(end -> query.url("audit").with("after", end.text()));
    var shown = new Shown(query, page.rows(), next);
    return Answer.page(200, SafeOutput.of(out -> JteauditGenerated.render(out, out, frame, shown)));
  }

  private Answer file(Visit visit) throws java.io.IOException {
    Query query = Query.of(visit.query().only(Set.of("who", "action", "target", "since", "until")));
    Frame frame = desk.site().frame(visit, "Audit");
    try {
      AuditFilter filter = query.filter(frame.now());
      return new AuditFile(after -> desk.reads().audit(filter, after, AuditFile.BATCH))
          .send(visit.exchange());
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest(e.getMessage() + ".");
    }
  }
}
