package dev.dibs.console;

import dev.dibs.Priority;
import dev.dibs.TaskFilter;
import dev.dibs.TaskStatus;
import dev.dibs.Text;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which tasks a list shows, as its address says. Immutable.
 *
 * @param rest what is asked for more rarely
 * @param size rows a page
 */
record TaskQuery(
    TaskStatus status,
    Optional<String> queue,
    Optional<String> kind,
    Optional<Priority> priority,
    Rest rest,
    int size) {
  static final List<Integer> SIZES = List.of(25, 50, 100, 200);
  private static final int DEFAULT_SIZE = 50;
  static final int LONGEST = 200;
  private static final Pattern AGO = Pattern.compile("-(\\d{1,5})(s|m|h|d)");
  private static final Set<String> NAMES =
      Set.of(
          "status", "queue", "kind", "prio", "worker", "since", "until", "header", "error", "size",
          "after", "before");

  /**
   * What is asked for more rarely, as it was written.
   *
   * @param since a time, or how long ago: {@code -24h}
   * @param header {@code name=value}
   */
  record Rest(
      Optional<java.util.UUID> worker,
      Optional<String> since,
      Optional<String> until,
      Optional<String> header,
      Optional<String> error) {}

  /** A filter that is set, and the list without it. */
  record Chip(String text, Url without) {}

  static TaskQuery parse(Fields query) {
    return read(query.only(NAMES));
  }

  /** The same from fields among which there are others. */
  static TaskQuery read(Fields query) {
    var rest =
        new Rest(
            query.id("worker"),
            query.read("since", TaskQuery::time),
            query.read("until", TaskQuery::time),
            query.read("header", TaskQuery::header),
            query.text("error", LONGEST));
    return new TaskQuery(
        query
            .read("status", word -> TaskStatus.valueOf(word.toUpperCase(Locale.ROOT)))
            .orElse(TaskStatus.PROCESSING),
        query.text("queue", 128),
        query.text("kind", 128),
        query.read("prio", Priority::parse),
        rest,
        query.read("size", TaskQuery::size).orElse(DEFAULT_SIZE));
  }

  private static int size(String text) {
    int size = Integer.parseInt(text);
    if (!SIZES.contains(size)) throw new IllegalArgumentException(text);
    return size;
  }

  /** Checked, and kept as it was written: what is relative stays so in a shared address. */
  static String time(String text) {
    instant(text, Instant.EPOCH);
    return text;
  }

  static Instant instant(String text, Instant now) {
    Matcher ago = AGO.matcher(text);
    if (!ago.matches()) return Instant.parse(text);
    long count = Long.parseLong(ago.group(1));
    return now.minus(
        switch (ago.group(2)) {
          case "s" -> Duration.ofSeconds(count);
          case "m" -> Duration.ofMinutes(count);
          case "h" -> Duration.ofHours(count);
          default -> Duration.ofDays(count);
        });
  }

  private static String header(String text) {
    if (text.length() > LONGEST || text.indexOf('=') < 1) throw new IllegalArgumentException(text);
    return text;
  }

  TaskFilter filter(Instant now) {
    try {
      TaskFilter filter = TaskFilter.of(status);
      if (queue.isPresent()) filter = filter.queue(queue.get());
      if (kind.isPresent()) filter = filter.kind(kind.get());
      if (priority.isPresent()) filter = filter.priority(priority.get());
      if (rest.worker().isPresent()) filter = filter.worker(rest.worker().get());
      if (rest.since().isPresent()) filter = filter.since(instant(rest.since().get(), now));
      if (rest.until().isPresent()) filter = filter.until(instant(rest.until().get(), now));
      if (rest.error().isPresent()) filter = filter.error(rest.error().get());
      if (rest.header().isEmpty()) return filter;
      String[] header = rest.header().get().split("=", 2);
      return filter.header(header[0], header[1]);
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest(Text.storable(String.valueOf(e.getMessage())) + ".");
    }
  }

  /** The address of this list. */
  Url url() {
    Url url = on(Url.of("tasks"));
    return size == DEFAULT_SIZE ? url : url.with("size", Integer.toString(size));
  }

  /** The address of another page with these filters. */
  Url on(Url page) {
    return page.with("status", status.name())
        .with("queue", queue)
        .with("kind", kind)
        .with("prio", priority.map(p -> Short.toString(p.level())))
        .with("worker", rest.worker().map(Object::toString))
        .with("since", rest.since())
        .with("until", rest.until())
        .with("header", rest.header())
        .with("error", rest.error());
  }

  /** The same, with times that stay where they are. */
  TaskQuery asOf(Instant now) {
    var fixed =
        new Rest(
            rest.worker(),
            rest.since().map(text -> instant(text, now).toString()),
            rest.until().map(text -> instant(text, now).toString()),
            rest.header(),
            rest.error());
    return new TaskQuery(status, queue, kind, priority, fixed, size);
  }

  /** The same filters on another status; times mean something else there, so they go. */
  Url withStatus(TaskStatus other) {
    return new TaskQuery(other, queue, kind, priority, rest, size)
        .url()
        .without("since")
        .without("until");
  }

  /** Whether what is asked for more rarely is asked for. */
  boolean hasMore() {
    return rest.since().isPresent()
        || rest.until().isPresent()
        || rest.header().isPresent()
        || size != DEFAULT_SIZE;
  }

  /** The filters but the status. */
  List<Chip> chips() {
    List<Chip> chips = new ArrayList<>();
    chip(chips, "queue", queue);
    chip(chips, "kind", kind);
    chip(chips, "prio", priority.map(p -> p.name().toLowerCase(Locale.ROOT)));
    chip(chips, "worker", rest.worker().map(Sample::shortId));
    chip(chips, "since", rest.since());
    chip(chips, "until", rest.until());
    chip(chips, "header", rest.header());
    chip(chips, "error", rest.error());
    return chips;
  }

  private void chip(List<Chip> chips, String name, Optional<String> value) {
    value.ifPresent(text -> chips.add(new Chip(name + ": " + text, url().without(name))));
  }
}
