package dev.dibs.console;

import dev.dibs.Pause;
import dev.dibs.Request;
import dev.dibs.WorkerRow;
import dev.dibs.operations.Operations;
import dev.dibs.operations.Operations.Answer.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Queues and kinds are paused and resumed here, workers drained: a page that asks, then the deed.
 */
final class SteerPages {
  private static final List<String> PAUSES = List.of("pause", "resume");
  private static final List<String> DRAINS = List.of("drain", "undrain");

  private final Desk desk;
  private final Throttle throttle;

  SteerPages(Desk desk, Throttle throttle) {
    this.desk = desk;
    this.throttle = throttle;
  }

  List<Route> routes() {
    return List.of(
        asks("/queues/{name}/confirm", this::queue),
        acts("/queues/{name}/act", this::steerQueue),
        asks("/kinds/{name}/confirm", this::kind),
        acts("/kinds/{name}/act", this::steerKind),
        asks("/workers/{id}/confirm", this::worker),
        acts("/workers/{id}/act", this::steerWorker));
  }

  private interface Asking {
    Lever lever(Visit visit, Fields fields);
  }

  private Route asks(String pattern, Asking asking) {
    return Route.action(
        "GET",
        pattern,
        Role.OPERATOR,
        visit -> {
          Lever lever = asking.lever(visit, visit.query());
          Frame frame = desk.site().frame(visit, lever.title());
          UUID request = UUID.randomUUID();
          return Answer.page(
              200, SafeOutput.of(out -> JteleverGenerated.render(out, out, frame, lever, request)));
        });
  }

  private interface Steering {
    Answer steer(Visit visit, Request request);
  }

  private Route acts(String pattern, Steering steering) {
    return Route.action(
        "POST",
        pattern,
        Role.OPERATOR,
        visit -> {
          if (!throttle.admits(visit.visitor().name()))
            throw new Refusal(429, "Too fast", "At most 60 actions a minute. Nothing was changed.");
          UUID id =
              visit
                  .form()
                  .id("request")
                  .orElseThrow(() -> Refusal.badRequest("'request' is missing."));
          String why = visit.form().text("why", 2_000).orElse("");
          return steering.steer(visit, Desk.request(visit, id, why));
        });
  }

  private Lever queue(Visit visit, Fields fields) {
    String word = fields.oneOf("do", PAUSES);
    List<String> effects = new ArrayList<>();
    desk.sampler()
        .latest()
        .flatMap(sample -> sample.queue(visit.name()))
        .ifPresent(queue -> {
          queue.pause().ifPresent(pause -> effects.add(paused(pause)));
          effects.add(
              word.equals("pause")
                  ? "%d running will finish; %s and what is enqueued later will wait."
                      .formatted(queue.running(), Show.plural(queue.waiting(), "ready task"))
                  : Show.plural(queue.waiting(), "ready task") + " will be claimed again.");
        });
    return lever("queue", visit.name(), word, effects);
  }

  private Lever kind(Visit visit, Fields fields) {
    String word = fields.oneOf("do", PAUSES);
    List<String> effects = new ArrayList<>();
    desk.reads().kinds().stream()
        .filter(kind -> kind.name().equals(visit.name()))
        .flatMap(kind -> kind.pause().stream())
        .forEach(pause -> effects.add(paused(pause)));
    effects.add(
        word.equals("pause")
            ? "Its tasks wait, in every queue; those that run finish."
            : "Its tasks are claimed again, in every queue.");
    return lever("kind", visit.name(), word, effects);
  }

  private static Lever lever(String what, String name, String word, List<String> effects) {
    return new Lever(what, name, name, word, effects, word.equals("pause"));
  }

  private static String paused(Pause pause) {
    return "It is paused now, by %s: %s".formatted(pause.by(), pause.why());
  }

  private Lever worker(Visit visit, Fields fields) {
    WorkerRow row =
        desk.reads().workers().stream()
            .filter(worker -> worker.id().equals(visit.id()))
            .findFirst()
            .orElseThrow(() -> Refusal.notFound("There is no such worker any more."));
    String word = fields.oneOf("do", DRAINS);
    String effect =
        word.equals("drain")
            ? "It takes no more tasks, finishes the %d it runs, and stays until it is stopped."
                .formatted(row.state().running())
            : "It takes tasks again.";
    return new Lever("worker", row.id().toString(), Sample.name(row), word, List.of(effect), false);
  }

  private Answer steerQueue(Visit visit, Request request) {
    Lever lever = queue(visit, visit.form());
    Operations.PauseAnswer answer =
        lever.word().equals("pause")
            ? desk.writes().pauseQueue(visit.name(), withReason(request))
            : desk.writes().resumeQueue(visit.name(), request);
    return paused(visit, lever, answer);
  }

  private Answer steerKind(Visit visit, Request request) {
    Lever lever = kind(visit, visit.form());
    Operations.PauseAnswer answer =
        lever.word().equals("pause")
            ? desk.writes().pauseKind(visit.name(), withReason(request))
            : desk.writes().resumeKind(visit.name(), request);
    return paused(visit, lever, answer);
  }

  private static Request withReason(Request request) {
    if (request.why().isBlank())
      throw Refusal.badRequest("A pause needs a reason: whoever comes next will ask for it.");
    return request;
  }

  private Answer paused(Visit visit, Lever lever, Operations.PauseAnswer answer) {
    Optional<String> stands = answer.pause().map(SteerPages::paused);
    return done(visit, lever, answer.result(), stands.orElse(answer.message()));
  }

  private Answer steerWorker(Visit visit, Request request) {
    Lever lever = worker(visit, visit.form());
    Operations.DrainAnswer answer =
        lever.word().equals("drain")
            ? desk.writes().drainWorker(visit.id(), request)
            : desk.writes().undrainWorker(visit.id(), request);
    return done(visit, lever, answer.result(), answer.message());
  }

  private Answer done(Visit visit, Lever lever, Result result, String message) {
    if (result == Result.DONE) return Answer.to(lever.page());
    Frame frame = desk.site().frame(visit, "Nothing was changed");
    return Answer.page(
        409, SafeOutput.of(out -> JtestaleGenerated.render(out, out, frame, lever, message)));
  }
}
