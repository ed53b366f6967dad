package dev.dibs.console;

import dev.dibs.operations.Operations.Answer.Result;
import java.util.List;
import java.util.Optional;

/** What came of an action, task by task, for the template. */
record TaskResult(TaskAction action, List<TaskDeeds.Outcome> outcomes, Optional<Sample> sample) {

  long count(Result result) {
    return outcomes.stream().filter(outcome -> outcome.answer().result() == result).count();
  }

  /** Nothing at all was done, as what was seen is no longer so. */
  boolean isStale() {
    return count(Result.DONE) == 0;
  }

  /** "48 done, 2 had changed". */
  String title() {
    if (outcomes.size() == 1 && isStale()) return "Nothing was changed";
    String title = Show.count(count(Result.DONE)) + " done";
    if (count(Result.STALE) > 0) title += ", " + count(Result.STALE) + " had changed";
    if (count(Result.MISSING) > 0) title += ", " + count(Result.MISSING) + " gone";
    if (count(Result.REFUSED) > 0) title += ", " + count(Result.REFUSED) + " refused";
    return title;
  }

  /** In words, for one task. */
  static String word(Result result) {
    return switch (result) {
      case DONE -> "done";
      case STALE -> "had changed meanwhile: left as it is";
      case MISSING -> "is gone";
      case REFUSED -> "refused";
    };
  }

  String worker(java.util.UUID id) {
    return sample.map(seen -> seen.workerName(id)).orElse(Sample.shortId(id));
  }
}
