package dev.dibs.console;

import dev.dibs.Request;
import dev.dibs.operations.Explainer;
import dev.dibs.operations.Operations;
import java.util.UUID;

/**
 * What pages are made from and actions done with.
 *
 * @param reads operations over the connections for reading
 * @param writes and over those for acting
 */
record Desk(
    Site site,
    Sampler sampler,
    Operations reads,
    Operations writes,
    Explainer explainer,
    ConsoleDatabase database) {

  /** What the audit is told of an action. */
  static Request request(Visit visit, UUID id, String why) {
    try {
      return new Request(id, visit.visitor().name(), "console " + visit.from(), why);
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest("The reason is not taken: " + e.getMessage() + ".");
    }
  }
}
