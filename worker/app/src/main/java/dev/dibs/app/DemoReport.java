package dev.dibs.app;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jooq.DSLContext;
import tools.jackson.databind.json.JsonMapper;

/** What the demo prints at its end, for people and for machines. */
record DemoReport(DemoCheck check, Pace pace, DemoProgress end, Map<String, String> notes) {
  /**
   * How fast it was, from the first claim to the last commit, by the database's clock.
   *
   * @param waitP50Ms half of the tasks waited no longer from when they could run to their last
   *     claim
   */
  record Pace(double seconds, double tasksPerSecond, double waitP50Ms, double waitP99Ms) {
    static Pace read(DSLContext dsl, String dibs, String queue) {
      var row =
          dsl.fetchSingle(
              """
              select extract(epoch from max(finished_at) - min(claimed_at))::float8,
                count(*),
                percentile_cont(0.5) within group (order by extract(epoch from claimed_at - run_at) * 1000)::float8,
                percentile_cont(0.99) within group (order by extract(epoch from claimed_at - run_at) * 1000)::float8
              from "%s".task_history where queue = ?\
              """
                  .formatted(dibs),
              queue);
      double seconds = Math.max(1e-3, row.get(0, Double.class));
      return new Pace(
          seconds,
          row.get(1, Long.class) / seconds,
          row.get(2, Double.class),
          row.get(3, Double.class));
    }
  }

  List<String> lines() {
    var tasks = check.tasks();
    var table = new TextTable("CHECK", "EXPECTED", "FOUND");
    table.add("tasks that succeeded, each with one effect", tasks.enqueued(), tasks.succeeded());
    table.add("money in the accounts", check.money().expected(), check.money().actual());
    table.add("accounts that differ from the journal", 0, check.money().notInJournal());
    table.add("accounts below zero", 0, check.money().negative());
    table.add("seats sold", check.seats().seats(), check.seats().sold());
    table.add("seats sold twice", 0, check.seats().soldTwice());
    table.add("proposals accepted", check.proposals().projects(), check.proposals().accepted());
    table.add("projects with two accepted", 0, check.proposals().acceptedTwice());
    List<String> lines = new ArrayList<>(List.of(""));
    lines.addAll(table.lines());
    lines.add("");
    end.byProcess().forEach((process, done) -> lines.add(share(process, done)));
    lines.add(
        "%,d runs for %,d tasks (a booking that finds the event busy comes again), %d rescued from the killed process, %d outcomes refused"
            .formatted(tasks.runs(), tasks.enqueued(), tasks.rescued(), tasks.refused()));
    lines.add(
        "%.1f s from the first claim to the last commit, %,.0f tasks/s"
            .formatted(pace.seconds(), pace.tasksPerSecond()));
    check.broken().forEach(what -> lines.add("BROKEN: " + what));
    lines.add(check.ok() ? "ALL HOLDS" : "IT WENT WRONG");
    return lines;
  }

  private String share(String process, long done) {
    String note = notes.containsKey(process) ? ", " + notes.get(process) : "";
    return "%s did %,d tasks, %.1f %%%s"
        .formatted(process, done, 100.0 * done / Math.max(1, end.done()), note);
  }

  String json() {
    var tasks = check.tasks();
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("ok", check.ok());
    report.put("broken", check.broken());
    report.put("processes", end.byProcess().size() - killed());
    report.put(
        "tasks",
        ordered(
            "enqueued",
            tasks.enqueued(),
            "succeeded",
            tasks.succeeded(),
            "dead",
            tasks.dead(),
            "runs",
            tasks.runs(),
            "rescued",
            tasks.rescued(),
            "refused",
            tasks.refused()));
    report.put(
        "transfers",
        ordered("expected", check.money().expected(), "actual", check.money().actual()));
    report.put(
        "bookings",
        ordered(
            "seats",
            check.seats().seats(),
            "sold",
            check.seats().sold(),
            "soldTwice",
            check.seats().soldTwice()));
    report.put(
        "proposals",
        ordered(
            "projects", check.proposals().projects(), "accepted", check.proposals().accepted()));
    List<Object> perProcess = new ArrayList<>();
    end.byProcess()
        .forEach((name, done) ->
            perProcess.add(
                ordered("name", name, "done", done, "note", notes.getOrDefault(name, ""))));
    report.put("perProcess", perProcess);
    report.put("seconds", rounded(pace.seconds()));
    report.put("tasksPerSecond", rounded(pace.tasksPerSecond()));
    report.put("waitP50Ms", rounded(pace.waitP50Ms()));
    report.put("waitP99Ms", rounded(pace.waitP99Ms()));
    return JsonMapper.shared().writeValueAsString(report);
  }

  /** Each that was killed has one that was started instead, so the rest worked side by side. */
  private int killed() {
    return notes.size() / 2;
  }

  private static Map<String, Object> ordered(Object... namesAndValues) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2)
      map.put(namesAndValues[i].toString(), namesAndValues[i + 1]);
    return map;
  }

  private static double rounded(double value) {
    return Math.round(value * 1e3) / 1e3;
  }
}
