package dev.dibs.app;

import dev.dibs.operations.Explainer;
import dev.dibs.operations.Explanation;
import dev.dibs.operations.Explanation.Effect;
import dev.dibs.operations.Explanation.Reason;
import java.time.Duration;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** {@code dibs explain}: why a task is not running. */
@Command(
    name = "explain",
    description = {
      "Say why a task is not running, or where it is, and what to do.",
      "Exit code 1: there is no such task."
    })
final class ExplainCommand implements Callable<Integer> {
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(10);
  private static final JsonMapper JSON = JsonMapper.shared();

  private final Shell shell;

  @Parameters(paramLabel = "ID", description = "Which task.")
  UUID id = new UUID(0, 0);

  @Option(names = "--json", description = "Print one JSON object.")
  boolean json;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  ExplainCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws InterruptedException {
    var source = options.find(shell, "explain").plain(LONGEST_ANSWER);
    Explanation explanation = Explainer.on(source, options.schema()).explain(id);
    shell.out().println(json ? json(explanation) : text(explanation));
    return explanation.isKnown() ? 0 : Errors.FAILED;
  }

  private static String text(Explanation explanation) {
    var table = new TextTable("task", explanation.id().toString());
    for (Reason reason : explanation.reasons()) {
      table.add(word(reason.effect()), reason.sentence());
      boolean isMet = reason.effect() == Effect.FULFILLED;
      if (!isMet && !reason.cure().isEmpty()) table.add("", "-> " + reason.cure());
    }
    return String.join("\n", table.lines());
  }

  private static String word(Effect effect) {
    return switch (effect) {
      case FULFILLED -> "ok";
      case BLOCKING -> "BLOCKS";
      case NOTE -> "note";
      case UNKNOWN -> "unknown";
    };
  }

  private static String json(Explanation explanation) {
    ObjectNode root =
        JSON.createObjectNode()
            .put("id", explanation.id().toString())
            .put("at", explanation.at().toString())
            .put("known", explanation.isKnown());
    var reasons = root.putArray("reasons");
    for (Reason reason : explanation.reasons()) {
      ObjectNode node =
          reasons
              .addObject()
              .put("code", reason.code())
              .put("effect", reason.effect().name().toLowerCase(Locale.ROOT))
              .put("sentence", reason.sentence());
      reason.since().ifPresent(since -> node.put("since", since.toString()));
      reason.until().ifPresent(until -> node.put("until", until.toString()));
      node.set("details", JSON.readTree(reason.details()));
      node.put("cure", reason.cure());
    }
    return root.toString();
  }
}
