package dev.dibs.console;

import dev.dibs.BulkRow;
import dev.dibs.Request;
import dev.dibs.operations.Bulks;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** The list of bulks, one while it runs, and how it is interrupted and resumed. */
final class BulkPages {
  private static final int ROWS = 25;
  private static final List<String> STEERED = List.of("interrupt", "resume");

  private final Desk desk;
  private final Drives drives;
  private final BulkRates rates;
  private final Steering steering;
  private final Bulks reads;
  private final Bulks writes;

  BulkPages(Desk desk, Drives drives, BulkRates rates, Steering steering) {
    this.desk = desk;
    this.drives = drives;
    this.rates = rates;
    this.steering = steering;
    this.reads = Bulks.on(desk.database().reads(), desk.database().schema());
    this.writes = Bulks.on(desk.database().writes(), desk.database().schema());
  }

  List<Route> routes() {
    return List.of(
        Route.get("/bulk", this::list),
        Route.get("/bulk/{id}", this::one),
        steering.asks("/bulk/{id}/confirm", this::lever),
        steering.acts("/bulk/{id}/act", Role.OPERATOR, this::act));
  }

  /**
   * A page of bulks, for the template.
   *
   * @param notice of what was asked for and is not shown
   */
  record Page(List<BulkView> bulks, Optional<Url> next, boolean isFirst, Optional<String> notice) {}

  private Answer list(Visit visit) {
    Optional<UUID> after = visit.query().only(Set.of("after")).id("after");
    Optional<BulkRow> before = after.flatMap(reads::find);
    Frame frame = desk.site().frame(visit, "Bulk");
    List<BulkRow> rows = reads.list(before, ROWS + 1);
    List<BulkRow> shown = rows.subList(0, Math.min(ROWS, rows.size()));
    Optional<Url> next =
        rows.size() > ROWS
            ? Optional.of(Url.of("bulk").with("after", shown.getLast().id().toString()))
            : Optional.empty();
    Optional<String> notice =
        after.isPresent() && before.isEmpty()
            ? Optional.of("That place in the list is not known here: this is the first page.")
            : Optional.empty();
    var page =
        new Page(
            shown.stream().map(row -> view(frame, row)).toList(), next, before.isEmpty(), notice);
    return Answer.page(200, SafeOutput.of(out -> JtebulksGenerated.render(out, out, frame, page)));
  }

  private BulkView view(Frame frame, BulkRow row) {
    Optional<Double> rate =
        row.status() == BulkRow.Status.RUNNING ? rates.perSecond(row) : Optional.empty();
    return new BulkView(row, rate, new BulkWords(frame.show()));
  }

  private BulkRow found(UUID id) {
    return reads
        .find(id)
        .orElseThrow(() ->
            Refusal.notFound("There is no bulk " + id + ". Bulks that ended go after 90 days."));
  }

  private Answer one(Visit visit) {
    visit.query().only(Set.of());
    BulkRow row = found(visit.id());
    Frame frame = desk.site().frame(visit, "Bulk " + Sample.shortId(row.id()));
    BulkView view = view(frame, row);
    return Answer.page(200, SafeOutput.of(out -> JtebulkGenerated.render(out, out, frame, view)));
  }

  private Lever lever(Visit visit, Fields fields) {
    String word = fields.oneOf("do", STEERED);
    BulkRow row = found(visit.id());
    BulkView view = view(desk.site().frame(visit, "Bulk"), row);
    if (word.equals("resume")) roleOf(row).by(visit.visitor());
    String stands =
        "%s. It is now %s: %s seen, %s done."
            .formatted(view.order(), view.state(), view.seen(), Show.count(row.progress().done()));
    String effect =
        word.equals("interrupt")
            ? "It stops after the batch that is under way. What it has changed stays changed; it can be resumed where it stopped."
            : "It goes on where it stopped, driven by this console. What it has done is not done again, and what somebody has changed since its preview is left alone.";
    return new Lever(
        "bulk",
        row.id().toString(),
        Sample.shortId(row.id()),
        word,
        List.of(stands, effect),
        false);
  }

  /** Who may go on with it is who may begin it. */
  private static TaskAction roleOf(BulkRow row) {
    return TaskAction.named(row.order().change().action()).orElseThrow();
  }

  private Answer act(Visit visit, Request request) {
    Lever lever = lever(visit, visit.form());
    return lever.word().equals("interrupt")
        ? interrupt(visit, lever, request)
        : resume(visit, lever, request);
  }

  private Answer interrupt(Visit visit, Lever lever, Request request) {
    Bulks.Interrupted answer = writes.interrupt(visit.id(), request);
    return answer.done() ? Answer.to(lever.page()) : steering.stale(visit, lever, answer.message());
  }

  private Answer resume(Visit visit, Lever lever, Request request) {
    Bulks.Begun begun = drives.begin(bulks -> bulks.resume(visit.id(), request), request);
    boolean isSentTwice = begun.message().startsWith("asked before");
    return begun.drive().isPresent() || isSentTwice
        ? Answer.to(lever.page())
        : steering.stale(visit, lever, begun.message());
  }
}
