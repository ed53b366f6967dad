package dev.dibs.console;

import dev.dibs.BulkOrder;
import dev.dibs.BulkPreview;
import dev.dibs.BulkPreview.Exactness;
import dev.dibs.Priority;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/**
 * A bulk before it begins, for the template that asks.
 *
 * @param request what the form is known by, and the bulk will be
 * @param seal that what the form holds of the preview is what was shown
 */
record BulkPlan(
    BulkQuery query,
    BulkPreview preview,
    UUID request,
    String seal,
    Optional<Sample> sample,
    boolean isProduction) {
  static final List<String> SPREADS = List.of("PT0S", "PT10M", "PT1H", "PT6H", "PT24H");
  static final List<String> RATES =
      List.of(Integer.toString(BulkOrder.USUAL_PER_SECOND), "100", "500", "10000");

  /** From here on a person says once more what is meant. */
  private static final long MANY = 1_000;

  private static final int DEATHS = 3;

  TaskAction action() {
    return query.action().orElseThrow();
  }

  /** "Run again 37 tasks". */
  String title() {
    BulkPreview.Count count = preview.count();
    return switch (count.exactness()) {
      case EXACT -> action().verb() + " " + Show.plural(count.tasks(), "task");
      case AT_LEAST -> action().verb() + " " + count.text() + " tasks";
      case NOT_COUNTED -> action().verb() + " the tasks that match";
    };
  }

  boolean isEmpty() {
    return preview.count().exactness() == Exactness.EXACT && preview.count().tasks() == 0;
  }

  /** What becomes of each. */
  String effect() {
    return switch (action()) {
      case RETRY -> "Each becomes ready and runs again; it keeps its history.";
      case MOVE -> "Each goes to queue " + target() + ", with its priority, and waits at its end.";
      case PRIORITISE ->
          "Each goes to the end of the lane of priority "
              + Priority.parse(target()).name().toLowerCase(Locale.ROOT)
              + ".";
      case CANCEL, RESCHEDULE, DELETE -> action().effect();
    };
  }

  Optional<Instant> time() {
    return action() == TaskAction.RESCHEDULE
        ? Optional.of(Instant.parse(target()))
        : Optional.empty();
  }

  private String target() {
    return query.to().orElse("");
  }

  /** What whoever begins it should know before. */
  List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    load().ifPresent(warnings::add);
    boolean killed = preview.sample().stream().anyMatch(row -> row.tries().losses() >= DEATHS);
    if (killed && action() == TaskAction.RETRY)
      warnings.add(
          "Some lost their worker three times: they may kill workers again. Run one of them alone first.");
    return warnings;
  }

  /** What the queue has to bear then. */
  private Optional<String> load() {
    Optional<String> queue =
        switch (action()) {
          case RETRY -> query.tasks().queue();
          case MOVE -> query.to();
          case CANCEL, PRIORITISE, RESCHEDULE, DELETE -> Optional.empty();
        };
    if (preview.count().exactness() == Exactness.NOT_COUNTED) return Optional.empty();
    return queue.flatMap(name -> sample.flatMap(seen -> seen.queue(name))).map(this::load);
  }

  private String load(Sample.Queue queue) {
    String text =
        "%s tasks more will wait in %s, beside %s that are ready there now"
            .formatted(preview.count().text(), queue.name(), QueueTable.waiting(queue).text());
    double rate = queue.perSecond();
    if (rate <= 0) return text + "; none has ended there lately.";
    Duration takes = Duration.ofSeconds(Math.round((double) preview.count().tasks() / rate));
    return "%s; at %s it takes them about %s, and others wait longer."
        .formatted(text, Show.rate(rate), Show.coarse(takes));
  }

  /** What a person types so that nobody changes much, or in production for good, in passing. */
  Optional<String> wordToType() {
    BulkPreview.Count count = preview.count();
    boolean isMuch = count.exactness() != Exactness.EXACT || count.tasks() > MANY;
    if (!isMuch && !(isProduction && action().isDangerous())) return Optional.empty();
    return Optional.of(
        query.tasks().queue().or(() -> query.tasks().kind()).orElse(action().word()).strip());
  }

  /** What is typed. */
  String wordIs() {
    if (query.tasks().queue().isPresent()) return "the queue's name";
    return query.tasks().kind().isPresent() ? "the kind's name" : "the word";
  }

  static String spread(String text) {
    Duration spread = Duration.parse(text);
    return spread.isZero() ? "at once" : "evenly within " + Show.coarse(spread);
  }
}
