package dev.dibs.chaos;

import dev.dibs.chaos.Violation.Promise;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Effects in the database happened once for each completion of their task, and never besides. */
final class EffectCheck {
  private record Run(UUID task, int attempt) {}

  private final History history;

  EffectCheck(History history) {
    this.history = history;
  }

  List<Violation> check() {
    Map<Run, Integer> surplus = new HashMap<>();
    for (Audit.Effect effect : history.audit().effects())
      surplus.merge(new Run(effect.task(), effect.attempt()), 1, Integer::sum);
    for (Audit.Change change : history.audit().changes()) {
      Audit.@Nullable Row after = change.after();
      if (after == null || !change.is("history") || !after.is("SUCCEEDED")) continue;
      if (change.kind().equals(Work.INSIDE.name()))
        surplus.merge(new Run(change.id(), after.attempt()), -1, Integer::sum);
    }
    List<Violation> found = new ArrayList<>();
    surplus.forEach((run, left) -> {
      if (left == 0) return;
      String what = left > 0 ? "effects more than completions" : "completions without an effect";
      found.add(
          new Violation(
              Promise.EFFECTS,
              run.task(),
              "attempt %d has %d %s".formatted(run.attempt(), Math.abs(left), what)));
    });
    return found;
  }
}
