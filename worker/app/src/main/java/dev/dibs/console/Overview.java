package dev.dibs.console;

import dev.dibs.operations.Finding;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The first page: does work flow? For the template, all from memory. */
record Overview(Sample sample, List<History.Point> history, List<Finding> findings) {
  private static final int QUEUES = 10;

  /** Something that needs a person, and where to look. */
  record Alarm(String text, Url where, boolean isBad) {}

  List<Alarm> alarms() {
    List<Alarm> alarms = new ArrayList<>();
    for (Sample.Queue queue : sample.queues()) {
      Url page = Url.of("queues", queue.name());
      if (queue.isStarved())
        alarms.add(
            new Alarm(
                queue.name()
                    + ": "
                    + Show.count(queue.waiting())
                    + " ready, and no worker serves it",
                page,
                true));
      else if (queue.isBehind())
        alarms.add(
            new Alarm(
                "%s: the first task has waited %s (limit %s)%s"
                    .formatted(
                        queue.name(),
                        Show.coarse(queue.oldest().orElse(Duration.ZERO)),
                        Show.coarse(Sample.OLDEST_LIMIT),
                        queue.pause().map(pause -> "; paused by " + pause.by()).orElse("")),
                page,
                true));
    }
    if (sample.dead().number() > 0)
      alarms.add(
          new Alarm(sample.dead().text() + " DEAD in the last 24 h", Url.of("failures"), false));
    for (Finding finding : findings) {
      if (finding.needsAttention())
        alarms.add(new Alarm(finding.sentence(), Url.of("doctor"), true));
    }
    return alarms;
  }

  QueueTable queues() {
    List<Sample.Queue> worst = sample.worstFirst();
    return new QueueTable(
        Optional.of(sample), worst.subList(0, Math.min(QUEUES, worst.size())), history);
  }

  Chart throughput() {
    return new Chart(
        "Enqueued and finished a second",
        sample.at(),
        List.of(
            Chart.line("in", history, History.Point::in),
            Chart.line("out", history, History.Point::out)),
        Show::rate);
  }

  Chart waiting() {
    return new Chart(
        "Waiting",
        sample.at(),
        List.of(Chart.line("waiting", history, History.Point::waitingInAll)),
        value -> Show.count(Math.round(value)));
  }

  Chart oldest() {
    return new Chart(
        "Oldest waiting",
        sample.at(),
        List.of(Chart.line("oldest", history, History.Point::oldest)),
        value -> Show.coarse(Duration.ofMillis(Math.round(value * 1e3))));
  }

  Chart running() {
    return new Chart(
        "Running",
        sample.at(),
        List.of(Chart.line("running", history, History.Point::busy)),
        value -> Show.count(Math.round(value)));
  }

  /** Of the last two samples. */
  String perSecond() {
    double out = history.isEmpty() ? Double.NaN : history.getLast().out();
    return Double.isNaN(out) ? "–" : Show.rate(out);
  }

  String percentBusy() {
    return sample.slots() == 0 ? "no slots" : 100 * sample.running() / sample.slots() + " %";
  }
}
