package dev.dibs.console;

import dev.dibs.BulkPreview;
import dev.dibs.BulkPreview.Exactness;
import dev.dibs.Request;
import dev.dibs.operations.Bulks;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * How a bulk begins: a page that shows what it would do, and the form on it.
 *
 * <p>What the preview saw travels in the form, sealed, so that the bulk touches that and nothing
 * else, however long somebody thinks.
 */
final class BulkAsking {
  private static final int LONGEST_FROZEN = 24 << 10;
  private static final int SHORTEST_WHY = 10;
  private static final String SEAL = "bulk";

  private final Desk desk;
  private final Secrets secrets;
  private final Drives drives;
  private final Steering steering;
  private final Bulks reads;

  BulkAsking(Desk desk, Secrets secrets, Drives drives, Steering steering) {
    this.desk = desk;
    this.secrets = secrets;
    this.drives = drives;
    this.steering = steering;
    this.reads = Bulks.on(desk.database().reads(), desk.database().schema());
  }

  List<Route> routes() {
    return List.of(
        Route.action("GET", "/bulk/new", Role.OPERATOR, this::ask),
        Route.action("POST", "/bulk/new", Role.OPERATOR, this::begin));
  }

  private Answer ask(Visit visit) {
    Frame frame = desk.site().frame(visit, "Bulk");
    BulkQuery query = BulkQuery.parse(visit.query(), zone(visit)).asOf(frame.now());
    query.action().ifPresent(action -> action.by(visit.visitor()));
    if (!query.isWhole())
      return Answer.page(
          200, SafeOutput.of(out -> JtebulkaskGenerated.render(out, out, frame, query)));
    BulkPlan plan = plan(frame, query);
    return Answer.page(
        200, SafeOutput.of(out -> JtebulknewGenerated.render(out, out, frame, plan)));
  }

  private static ZoneId zone(Visit visit) {
    return visit.preferences().zoneOrUtc();
  }

  private BulkPlan plan(Frame frame, BulkQuery query) {
    BulkPreview preview;
    try {
      preview =
          reads.preview(
              query.order(frame.now(), Duration.ZERO, dev.dibs.BulkOrder.USUAL_PER_SECOND));
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest(e.getMessage() + ".");
    }
    if (preview.frozen().length() > LONGEST_FROZEN)
      throw Refusal.badRequest(
          "These tasks stand in too many queues for one form: name a queue, or use `dibs tasks`.");
    UUID request = UUID.randomUUID();
    return new BulkPlan(
        query,
        preview,
        request,
        secrets.sign(SEAL, sealed(query, count(preview.count()), preview.frozen(), request)),
        desk.sampler().latest(),
        frame.environment().tone() == Environment.Tone.PROD);
  }

  private static String sealed(BulkQuery query, String count, String frozen, UUID request) {
    return String.join("\n", query.url().toString(), count, frozen, request.toString());
  }

  /** As the form holds it. */
  static String count(BulkPreview.Count count) {
    return count.exactness() + ":" + count.tasks();
  }

  private Answer begin(Visit visit) {
    Fields form = visit.form();
    BulkQuery query = BulkQuery.read(form, zone(visit));
    query.action().ifPresent(action -> action.by(visit.visitor()));
    UUID id = form.id("request").orElseThrow(() -> Refusal.badRequest("'request' is missing."));
    BulkPlan plan = shown(visit, query, id);
    String why = form.text("why", 2_000).orElse("");
    if (why.length() < SHORTEST_WHY)
      throw notBegun(
          "A bulk needs a reason of at least %d characters: whoever comes next will ask for it."
              .formatted(SHORTEST_WHY));
    plan.wordToType()
        .filter(word -> !word.equals(form.text("word").orElse("")))
        .ifPresent(word -> {
          throw notBegun("Type %s, '%s', to say that you mean it.".formatted(plan.wordIs(), word));
        });
    Request request = Desk.request(visit, id, why);
    if (reads.find(id).isPresent()) return to(id); // sent twice
    steering.limit().admit(visit);
    return begin(visit, plan, request);
  }

  private Answer begin(Visit visit, BulkPlan plan, Request request) {
    Bulks.Begun begun;
    try {
      begun = drives.begin(bulks -> bulks.start(plan.preview(), request), request);
    } catch (IllegalArgumentException e) {
      throw notBegun(e.getMessage() + ".");
    }
    if (begun.drive().isPresent() || reads.find(request.id()).isPresent()) return to(request.id());
    var lever = new Lever("bulk", "", "", "start", List.of(), true);
    return steering.stale(visit, lever, begun.message());
  }

  private static Answer to(UUID bulk) {
    return Answer.to(Url.of("bulk", bulk.toString()));
  }

  private static Refusal notBegun(String why) {
    return new Refusal(400, "Not begun", why + " Nothing was changed: go back.");
  }

  /** The preview as it was shown, from the form. */
  private BulkPlan shown(Visit visit, BulkQuery query, UUID request) {
    Fields form = visit.form();
    String frozen = form.text("frozen").orElse("");
    String count = form.text("count").orElse("");
    String seal = form.text("seal").orElse("");
    if (!query.isWhole() || !secrets.isSigned(SEAL, sealed(query, count, frozen, request), seal))
      throw notBegun("The form does not hold what a preview of this console showed; look again.");
    String[] parts = count.split(":", 2);
    var counted = new BulkPreview.Count(Long.parseLong(parts[1]), Exactness.valueOf(parts[0]));
    Duration spread = Duration.parse(form.oneOf("spread", BulkPlan.SPREADS));
    int rate = Integer.parseInt(form.oneOf("rate", BulkPlan.RATES));
    Frame frame = desk.site().frame(visit, "Bulk");
    var preview =
        new BulkPreview(query.order(frame.now(), spread, rate), frozen, counted, List.of());
    return new BulkPlan(
        query,
        preview,
        request,
        seal,
        Optional.empty(),
        frame.environment().tone() == Environment.Tone.PROD);
  }
}
