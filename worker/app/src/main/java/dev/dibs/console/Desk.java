package dev.dibs.console;

import dev.dibs.DatabaseException;
import dev.dibs.Request;
import dev.dibs.TaskFilter;
import dev.dibs.TaskRow;
import dev.dibs.operations.Explainer;
import dev.dibs.operations.Operations;
import java.util.List;
import java.util.Optional;
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

  /** For a part of a page that fails alone; empty: it could not be had in time. */
  Optional<List<TaskRow>> rows(TaskFilter filter, int most) {
    try {
      return Optional.of(reads.list(filter, most).rows());
    } catch (DatabaseException e) {
      return Optional.empty();
    }
  }

  /** What the audit is told of an action. */
  static Request request(Visit visit, UUID id, String why) {
    try {
      return new Request(id, visit.visitor().name(), "console " + visit.from(), why);
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest("The reason is not taken: " + e.getMessage() + ".");
    }
  }
}
