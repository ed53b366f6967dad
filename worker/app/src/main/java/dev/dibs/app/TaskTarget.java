package dev.dibs.app;

import dev.dibs.BulkChange;
import dev.dibs.BulkOrder;
import dev.dibs.DibsException;
import dev.dibs.Request;
import dev.dibs.TaskPage;
import dev.dibs.TaskStatus;
import dev.dibs.operations.Operations;
import dev.dibs.operations.Operations.Answer;
import dev.dibs.operations.Operations.Seen;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which tasks something is done to: one by its id, or all that a filter chooses. */
final class TaskTarget {
  /** What is done to one task. */
  @FunctionalInterface
  interface Action {
    Answer on(Operations operations, Seen seen, Request request);
  }

  @Parameters(
      arity = "0..1",
      paramLabel = "ID",
      description = "Which task; without it those of the filter, which begins with --status.")
  @Nullable UUID id;

  @Mixin FilterOptions filter = new FilterOptions();

  @Option(names = "--changed-by", paramLabel = "BULK", description = "Only what that bulk changed.")
  @Nullable UUID changedBy;

  @Option(
      names = "--why",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Kept in the audit; with a filter at least 10 characters.")
  String why = "";

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "2000",
      description = "With a filter: at the most so many tasks a second.")
  int rate = BulkOrder.USUAL_PER_SECOND;

  @Option(names = "--yes", description = "With a filter: do not ask before it begins.")
  boolean yes;

  @Mixin OperatorOptions options = new OperatorOptions();

  boolean isFilter() {
    return filter.status != null || changedBy != null;
  }

  /** Does it to the one task, or to all of the filter. */
  int act(Shell shell, BulkChange change, String done, Action action) throws InterruptedException {
    if (id == null) return bulk(shell, change);
    if (filter.isGiven() || changedBy != null)
      throw new UsageException("give either the ID of a task or a filter");
    one(shell, options.open(shell, "tasks"), id, done, action);
    return 0;
  }

  /** Does it to all that the filter chooses. */
  int bulk(Shell shell, BulkChange change) throws InterruptedException {
    if (!isFilter())
      throw new UsageException("give either the ID of a task or a filter that has --status");
    BulkOrder order =
        OperatorOptions.meant(() ->
            changedBy == null
                ? BulkOrder.of(filter.filter(), change).perSecond(rate)
                : BulkOrder.after(changedBy, filter.filter(), change).perSecond(rate));
    return BulkRun.on(options, shell).begin(order, options.request(why), yes);
  }

  /** Does it to one task as it is now, or fails with why it was left. */
  void one(Shell shell, Operations operations, UUID one, String done, Action action) {
    TaskPage page = operations.find(one).orElseThrow(() -> TasksCommand.unknown(one));
    TaskStatus was = page.row().status();
    Answer answer =
        OperatorOptions.meant(
            () -> action.on(operations, Seen.of(page.row()), options.request(why)));
    if (answer.result() != Answer.Result.DONE)
      throw new DibsException("task %s was left as it is: %s".formatted(one, answer.message()));
    String now =
        answer
            .now()
            .map(row -> row.id().equals(one) ? row.status().name() : "copied as " + row.id())
            .orElse("gone");
    shell.out().println("%s task %s, it was %s and is %s".formatted(done, one, was, now));
  }
}
