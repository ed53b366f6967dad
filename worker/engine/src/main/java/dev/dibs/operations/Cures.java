package dev.dibs.operations;

/** What to do about each reason for which a task is not running. */
final class Cures {
  private Cures() {}

  /** By the reason's code; empty where there is nothing to be done, or it is not known here. */
  static String of(String code) {
    return switch (code) {
      case "not-due", "retry" -> "wait, or make it due now: `dibs tasks edit ID --delay 0s`";
      case "not-promoted" ->
          "start a worker, `dibs worker` or one in Java: it makes ready what is due, whatever queue it serves; where one runs, read its log";
      case "blocked" -> "find what it waits for, or cancel it: `dibs tasks cancel ID`";
      case "queue-paused" -> "resume the queue once what it was paused for is over";
      case "kind-paused" -> "resume the kind once what it was paused for is over";
      case "no-worker" -> "start a worker for the queue: `dibs worker --queue NAME=20 …`";
      case "kind-unknown" ->
          "deploy a worker of the queue with a handler for the kind, or correct the kind's name where the task is made";
      case "workers-draining" -> "let a worker take tasks again, or start another one";
      case "workers-full" ->
          "raise the concurrency, start more workers, or see why handlers take long (dibs.task.run)";
      case "behind" -> "wait, raise its priority, or add workers";
      case "held-silent" ->
          "nothing, while any worker lives: it gives the task back once it has seen the silence for half a lease";
      case "held-by-nobody" ->
          "nothing, while any worker lives: it gives the task back within a minute";
      case "timed-out" ->
          "see whether the handler heeds interrupts; the worker gives it up after its interruptGrace";
      case "losses" ->
          "see why its workers died (memory, exit, node) before the third loss quarantines it";
      case "quarantined" ->
          "see why the workers on these hosts died; then retry it, on a worker that may be lost";
      case "dead" -> "mend what the error says, then retry it";
      case Explanation.NEVER_HEARD_OF ->
          "compare the id with the producer's log: its transaction was rolled back, another task stood for its unique key, its queue keeps no history, or this is another database or schema";
      case "not-checked" -> "ask again, or run `dibs doctor`";
      default -> "";
    };
  }
}
