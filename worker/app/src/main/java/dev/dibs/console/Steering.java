package dev.dibs.console;

import dev.dibs.Request;
import dev.dibs.operations.Operations.Answer.Result;
import java.util.UUID;

/** How what people steer is done: a page that asks, then the deed, as often as it is allowed. */
record Steering(Desk desk, ActionLimit limit) {
  /** What a page asks. */
  interface Asking {
    Lever lever(Visit visit, Fields fields) throws Exception;
  }

  /** The deed, and the page that comes of it. */
  interface Doing {
    Answer act(Visit visit, Request request) throws Exception;
  }

  Route asks(String pattern, Asking asking) {
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

  Route acts(String pattern, Role role, Doing doing) {
    return Route.action(
        "POST",
        pattern,
        role,
        visit -> {
          limit.admit(visit);
          UUID id =
              visit
                  .form()
                  .id("request")
                  .orElseThrow(() -> Refusal.badRequest("'request' is missing."));
          String why = visit.form().text("why", 2_000).orElse("");
          return doing.act(visit, Desk.request(visit, id, why));
        });
  }

  static Request withReason(Request request) {
    if (request.why().isBlank())
      throw Refusal.badRequest("A pause needs a reason: whoever comes next will ask for it.");
    return request;
  }

  /** To where it can be seen, or 409 and why nothing was changed. */
  Answer done(Visit visit, Lever lever, Result result, String message) {
    return result == Result.DONE ? Answer.to(lever.page()) : stale(visit, lever, message);
  }

  /** 409, and why nothing was changed. */
  Answer stale(Visit visit, Lever lever, String message) {
    Frame frame = desk.site().frame(visit, "Nothing was changed");
    return Answer.page(
        409, SafeOutput.of(out -> JtestaleGenerated.render(out, out, frame, lever, message)));
  }
}
