package dev.dibs.chaos;

import dev.dibs.chaos.Violation.Promise;
import java.util.ArrayList;
import java.util.List;

/** Judges a history: every promise that was broken, and on which task. */
final class Checker {
  private Checker() {}

  static List<Violation> check(History history) {
    List<Violation> found = new ArrayList<>(history.journal().seen());
    found.addAll(new EnqueueCheck(history).check());
    found.addAll(new LifeCheck(history).check());
    found.addAll(new RunCheck(history).check());
    found.addAll(new EffectCheck(history).check());
    found.addAll(WorkerCheck.check(history));
    history.unfinished().stream()
        .map(task ->
            new Violation(Promise.PROGRESS, task, "is unfinished, long after all was healed"))
        .forEach(found::add);
    return found;
  }

  /** What was found, the seed's faults and the lives of the first offenders. */
  static String explain(History history, List<Violation> found) {
    var text = new StringBuilder(found.size() + " violations\n");
    found.stream().limit(20).forEach(violation -> text.append("  ").append(violation).append('\n'));
    text.append(history.workload()).append('\n').append(history.faults());
    found.stream()
        .map(Violation::task)
        .filter(task -> !task.equals(Event.NO_TASK))
        .distinct()
        .limit(3)
        .forEach(task -> text.append(history.lifeOf(task)));
    return text.toString();
  }
}
