package dev.dibs.chaos;

import dev.dibs.chaos.Violation.Promise;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * Compares what processes say they ran with what the database says they claimed and ended: no run
 * without a claim, one run for each claim, no end but of a run that came to its end, every
 * acknowledged commit there, and never more handlers at once than slots.
 */
final class RunCheck {
  /** A run: of a task, by a process, the how-manieth. */
  private record Run(UUID task, int attempt, String process) {
    static Run of(Event event) {
      return new Run(event.task(), event.attempt(), event.process());
    }
  }

  private final History history;
  private final Map<Event.Type, Set<Run>> said = new HashMap<>();

  /** How often each was claimed: a task that was inserted again begins again at attempt 1. */
  private final Map<Run, Integer> claims = new HashMap<>();

  private final Set<Run> completions = new HashSet<>();
  private final List<Violation> found = new ArrayList<>();

  RunCheck(History history) {
    this.history = history;
    for (Event event : history.events())
      said.computeIfAbsent(event.type(), any -> new HashSet<>()).add(Run.of(event));
    for (Audit.Change change : history.audit().changes()) {
      if (change.after() == null) continue;
      var run = new Run(change.id(), change.after().attempt(), change.actor());
      if (change.is("update") && change.after().is("PROCESSING"))
        claims.merge(run, 1, Integer::sum);
      if (change.is("history") && change.after().is("SUCCEEDED")) completions.add(run);
    }
  }

  List<Violation> check() {
    completionsWereEarned();
    commitsAreThere();
    startsWereClaimed();
    slotsWereKept();
    return found;
  }

  private boolean said(Event.Type type, Run run) {
    return said.getOrDefault(type, Set.of()).contains(run);
  }

  private void completionsWereEarned() {
    Map<UUID, String> kinds = new HashMap<>();
    history.audit().changes().forEach(change -> kinds.put(change.id(), change.kind()));
    for (Run run : completions) {
      boolean inside = Work.INSIDE.name().equals(kinds.get(run.task()));
      if (!said(inside ? Event.Type.COMMIT : Event.Type.EFFECT, run))
        wrong(Promise.OWNERSHIP, run, "SUCCEEDED though that run never came to its end");
    }
  }

  private void commitsAreThere() {
    history
        .events(Event.Type.COMMITTED)
        .filter(event -> !completions.contains(Run.of(event)) && !history.mayBeLost(event.at()))
        .forEach(event ->
            wrong(
                Promise.ONE_COMPLETION, Run.of(event), "was told its commit is there; it is not"));
  }

  private void startsWereClaimed() {
    Map<Run, Integer> started = new HashMap<>();
    history
        .events(Event.Type.START)
        .filter(event -> !mayBeForgotten(event.at()))
        .forEach(event -> started.merge(Run.of(event), 1, Integer::sum));
    started.forEach((run, times) -> {
      int claimed = claims.getOrDefault(run, 0);
      if (claimed == 0) wrong(Promise.OWNERSHIP, run, "was started without a claim");
      else if (times > claimed)
        wrong(
            Promise.MUTUAL_EXCLUSION,
            run,
            "was started %d times on %d claims".formatted(times, claimed));
    });
  }

  /** A crash may forget a claim that it did not write yet, and with it nothing else. */
  private boolean mayBeForgotten(long start) {
    return history.mayBeLost(start)
        || history.journal().outages().stream()
            .anyMatch(outage -> outage.mayHaveForgottenTheClaimOf(start));
  }

  private void slotsWereKept() {
    Map<String, Integer> running = new HashMap<>();
    Set<String> told = new HashSet<>();
    for (Event event : history.events()) {
      int step = event.is(Event.Type.START) ? 1 : event.is(Event.Type.END) ? -1 : 0;
      int now = running.merge(event.process(), step, Integer::sum);
      if (now > history.workload().concurrency() && told.add(event.process()))
        wrong(Promise.LIMITS, Run.of(event), "was one run too many: " + now);
    }
  }

  private void wrong(Promise promise, Run run, String what) {
    found.add(
        new Violation(
            promise,
            run.task(),
            "attempt %d of %s %s".formatted(run.attempt(), run.process(), what)));
  }
}
