package dev.dibs.console;

import dev.dibs.Pause;
import dev.dibs.Request;
import dev.dibs.WorkerRow;
import dev.dibs.operations.Operations;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Queues and kinds are paused and resumed here, workers drained: a page that asks, then the deed.
 */
final class SteerPages {
  private static final List<String> PAUSES = List.of("pause", "resume");
  private static final List<String> DRAINS = List.of("drain", "undrain");

  private final Desk desk;
  private final Steering steering;

  SteerPages(Desk desk, Steering steering) {
    this.desk = desk;
    this.steering = steering;
  }

  List<Route> routes() {
    return List.of(
        steering.asks("/queues/{name}/confirm", this::queue),
        steering.acts("/queues/{name}/act", Role.OPERATOR, this::steerQueue),
        steering.asks("/kinds/{name}/confirm", this::kind),
        steering.acts("/kinds/{name}/act", Role.OPERATOR, this::steerKind),
        steering.asks("/workers/{id}/confirm", this::worker),
        steering.acts("/workers/{id}/act", Role.OPERATOR, this::steerWorker));
  }

  private Lever queue(Visit visit, Fields fields) {
    String word = fields.oneOf("do", PAUSES);
    List<String> effects = new ArrayList<>();
    desk.sampler()
        .queue(visit.name())
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

  static String paused(Pause pause) {
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
            ? desk.writes().pauseQueue(visit.name(), Steering.withReason(request))
            : desk.writes().resumeQueue(visit.name(), request);
    return paused(visit, lever, answer);
  }

  private Answer steerKind(Visit visit, Request request) {
    Lever lever = kind(visit, visit.form());
    Operations.PauseAnswer answer =
        lever.word().equals("pause")
            ? desk.writes().pauseKind(visit.name(), Steering.withReason(request))
            : desk.writes().resumeKind(visit.name(), request);
    return paused(visit, lever, answer);
  }

  private Answer paused(Visit visit, Lever lever, Operations.PauseAnswer answer) {
    Optional<String> stands = answer.pause().map(SteerPages::paused);
    return steering.done(visit, lever, answer.result(), stands.orElse(answer.message()));
  }

  private Answer steerWorker(Visit visit, Request request) {
    Lever lever = worker(visit, visit.form());
    Operations.DrainAnswer answer =
        lever.word().equals("drain")
            ? desk.writes().drainWorker(visit.id(), request)
            : desk.writes().undrainWorker(visit.id(), request);
    return steering.done(visit, lever, answer.result(), answer.message());
  }
}
