package dev.dibs.console;

import dev.dibs.QueueRow;
import dev.dibs.Request;
import dev.dibs.Retention;
import dev.dibs.operations.Operations;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** How long a queue keeps what has ended: a page that asks, then the change, if it is as seen. */
final class RetentionPages {
  private final Desk desk;
  private final Steering steering;

  RetentionPages(Desk desk, Steering steering) {
    this.desk = desk;
    this.steering = steering;
  }

  /** What is asked, for the template. */
  record Plan(String queue, Retention kept, UUID request) {
    Url act() {
      return Url.of("queues", queue, "retain");
    }

    Url page() {
      return Url.of("queues", queue);
    }
  }

  List<Route> routes() {
    return List.of(
        Route.action("GET", "/queues/{name}/retention", Role.ADMIN, this::ask),
        steering.acts("/queues/{name}/retain", Role.ADMIN, this::retain));
  }

  private Answer ask(Visit visit) {
    visit.query().only(Set.of());
    Retention kept =
        desk.reads().queue(visit.name()).map(QueueRow::retention).orElse(Retention.DEFAULT);
    var plan = new Plan(visit.name(), kept, UUID.randomUUID());
    Frame frame = desk.site().frame(visit, "Retention of " + visit.name());
    return Answer.page(
        200, SafeOutput.of(out -> JteretentionGenerated.render(out, out, frame, plan)));
  }

  private Answer retain(Visit visit, Request request) {
    if (request.why().isBlank())
      throw Refusal.badRequest("A retention needs a reason: what is deleted by it is gone.");
    Fields form = visit.form();
    Retention seen = retention(form, "seen-", Duration::parse);
    Retention wanted = retention(form, "", KeptText::parse);
    var lever = new Lever("queue", visit.name(), visit.name(), "retain", List.of(), true);
    try {
      Operations.RetainAnswer answer = desk.writes().retain(visit.name(), seen, wanted, request);
      return steering.done(visit, lever, answer.result(), answer.message());
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest(e.getMessage() + ".");
    }
  }

  private static Retention retention(
      Fields form, String prefix, java.util.function.Function<String, Duration> reading) {
    try {
      return new Retention(
          kept(form, prefix + "succeeded", reading),
          kept(form, prefix + "dead", reading),
          kept(form, prefix + "cancelled", reading));
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest(e.getMessage() + ".");
    }
  }

  private static Duration kept(
      Fields form, String name, java.util.function.Function<String, Duration> reading) {
    return form.read(name, reading)
        .orElseThrow(() -> Refusal.badRequest("'" + name + "' is missing."));
  }
}
