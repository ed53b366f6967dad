package dev.dibs.chaos;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/** What runs came to, added up, for the table at the end. Used by one thread. */
final class Figures {
  private final Map<Fault, Integer> faults = new EnumMap<>(Fault.class);
  private final List<Double> rescueSeconds = new ArrayList<>();
  private final List<Double> resumeSeconds = new ArrayList<>();
  private final Map<String, Long> counts = new java.util.LinkedHashMap<>();

  void add(History history, int violations) {
    history.journal().entries().forEach(entry -> faults.merge(entry.fault(), 1, Integer::sum));
    var changes = history.audit().changes();
    count("rounds", 1);
    count("tasks", changes.stream().map(Audit.Change::id).distinct().count());
    count("runs", history.events(Event.Type.START).count());
    count("tasks rescued", changes.stream().filter(Figures::isRescue).count());
    count("zombie writes refused", refused(history));
    count("answers unknown to producers", history.events(Event.Type.ENQUEUE_UNKNOWN).count());
    count("answers unknown to handlers", history.events(Event.Type.COMMIT_UNKNOWN).count());
    count("tasks enqueued again after their end", againAfterTheEnd(changes));
    count("violations", violations);
    rescues(history);
    resumes(history);
  }

  private void count(String what, long more) {
    counts.merge(what, more, Long::sum);
  }

  private static boolean isRescue(Audit.Change change) {
    return change.is("update")
        && change.before() != null
        && change.after() != null
        && change.after().losses() > change.before().losses();
  }

  private static long refused(History history) {
    Map<String, Long> most = new HashMap<>();
    history
        .events(Event.Type.REFUSED)
        .forEach(event -> most.merge(event.process(), Long.parseLong(event.detail()), Math::max));
    return most.values().stream().mapToLong(Long::longValue).sum()
        + history.events(Event.Type.COMMIT_LOST).count();
  }

  private static long againAfterTheEnd(List<Audit.Change> changes) {
    var inserts = changes.stream().filter(change -> change.is("insert")).toList();
    return inserts.size() - inserts.stream().map(Audit.Change::id).distinct().count();
  }

  /** From the death of a process to the next start of each task it was running. */
  private void rescues(History history) {
    for (Journal.Kill kill : history.journal().kills()) {
      Map<UUID, Boolean> held = new HashMap<>();
      for (Event event : history.events()) {
        boolean its = event.process().equals(kill.process());
        if (its && event.is(Event.Type.START)) held.put(event.task(), true);
        if (its && event.is(Event.Type.END)) held.remove(event.task());
        if (!its
            && event.at() > kill.at()
            && event.is(Event.Type.START)
            && held.remove(event.task()) != null) rescueSeconds.add((event.at() - kill.at()) / 1e9);
      }
    }
  }

  private void resumes(History history) {
    for (Journal.Outage outage : history.journal().outages()) {
      long back = outage.to();
      history
          .events(Event.Type.START)
          .mapToLong(Event::at)
          .filter(at -> at > back)
          .findFirst()
          .ifPresent(at -> resumeSeconds.add((at - back) / 1e9));
    }
  }

  @Override
  public String toString() {
    var text = new StringBuilder("\n");
    line(text, "FAULT", "TIMES");
    for (Fault fault : Fault.values())
      line(text, fault.meaning(), String.valueOf(faults.getOrDefault(fault, 0)));
    line(text, "WHAT CAME OF IT", "");
    counts.forEach((what, count) -> line(text, what, String.valueOf(count)));
    line(text, "SIGKILL of the holder to the next start of its task", spread(rescueSeconds));
    line(text, "server back to the first start", spread(resumeSeconds));
    return text.toString();
  }

  private static void line(StringBuilder text, String what, String value) {
    text.append(String.format(Locale.ROOT, "%-62s %s%n", what, value));
  }

  private static String spread(List<Double> seconds) {
    if (seconds.isEmpty()) return "none";
    List<Double> sorted = seconds.stream().sorted().toList();
    return String.format(
        Locale.ROOT,
        "median %.1f s, most %.1f s, %d times",
        sorted.get(sorted.size() / 2),
        sorted.getLast(),
        sorted.size());
  }
}
