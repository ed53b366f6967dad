package dev.dibs.chaos;

import java.util.List;

/**
 * A bug to be found: what to change in which sources of the shipped code, and what should notice.
 *
 * @param name short, with dashes
 * @param scenario where it shows most surely
 */
record Mutant(String name, Scenario scenario, List<Edit> edits) {
  /**
   * One change.
   *
   * @param source below the root of the project
   * @param text that must be there exactly once, but for its white space
   */
  record Edit(String source, String text, String instead) {}

  Mutant {
    edits = List.copyOf(edits);
  }

  private static final String ENDING = sql("EndRuns");
  private static final String CLAIMING = sql("ClaimTasks");
  private static final String HELD =
      ".and(TASK.LEASE.eq(sentWithId(\"endedLeases\", SQLDataType.UUID)))";
  private static final String WORKER = "worker/engine/src/main/java/dev/dibs/worker/";
  private static final String PRODUCER = "producer/src/main/java/dev/dibs/producer/";

  private static String sql(String type) {
    return "sql/src/main/java/dev/dibs/sql/" + type + ".java";
  }

  private static Mutant of(String name, Scenario scenario, Edit... edits) {
    return new Mutant(name, scenario, List.of(edits));
  }

  private static Edit edit(String source, String text, String instead) {
    return new Edit(source, text, instead);
  }

  @Override
  public String toString() {
    return name;
  }

  /** All of them. */
  static final List<Mutant> ALL =
      List.of(
          of("ends by id", Scenario.ZOMBIE, edit(ENDING, HELD, "")),
          of(
              "ends by status",
              Scenario.ZOMBIE,
              edit(
                  ENDING,
                  HELD,
                  ".and(TASK.STATUS.eq(inline(dev.dibs.sql.schema.enums.TaskStatus.PROCESSING)))")),
          of(
              "ends by attempt",
              Scenario.LOST_SUFFIX,
              edit(
                  CLAIMING,
                  ".set(TASK.LEASE, param(\"lease\", UUID.class))",
                  ".set(TASK.LEASE, field(\"('00000000-0000-0000-0000-' || lpad((attempt + 1)::text, 12, '0'))::uuid\", UUID.class))"),
              edit(
                  sql("ClaimedRow"),
                  "new Task.Hold(id(row), lease)",
                  "new Task.Hold(id(row), new UUID(0, Long.parseLong(row.getString(6), 16)))")),
          of(
              "gives back by id",
              Scenario.ZOMBIE,
              edit(
                  ENDING,
                  "TASK.ID.eq(againId).and(TASK.LEASE.eq(againLease)).and(among(\"againIds\"))",
                  "TASK.ID.eq(againId).and(againLease.isNotNull()).and(among(\"againIds\"))")),
          of(
              "transaction ends by id",
              Scenario.ZOMBIE,
              edit(
                  sql("FinishTask"),
                  "TASK.ID.eq(param(\"id\", UUID.class)).and(TASK.LEASE.eq(param(\"lease\", UUID.class)))",
                  "TASK.ID.eq(param(\"id\", UUID.class)).and(param(\"lease\", UUID.class).isNotNull())")),
          of(
              "effect outside the fence",
              Scenario.ZOMBIE,
              edit(
                  WORKER + "TaskTransactions.java",
                  "if (!finish.finishIfHeld(connection, hold))",
                  "connection.commit();\n        if (!finish.finishIfHeld(connection, hold))")),
          of(
              "rescuer with a stale list",
              Scenario.TWO_RESCUERS,
              edit(
                  sql("RescueTasks"),
                  ".limit(param(\"max\", Integer.class)) .forNoKeyUpdate() .of(TASK) .skipLocked());",
                  ".limit(param(\"max\", Integer.class)));"),
              edit(
                  sql("RescueTasks"),
                  ".and(stranded)",
                  ".and(stranded).and(field(\"pg_sleep(0.05)::text\", SQLDataType.CLOB).isNotNull())")),
          of(
              "rescuer waits for locks",
              Scenario.LOCKED_ROW,
              edit(sql("RescueTasks"), ".of(TASK) .skipLocked());", ".of(TASK));")),
          of(
              "rescuer does not look for itself",
              Scenario.LATE_BEAT,
              edit(
                  WORKER + "SilenceWatch.java",
                  "now - first.at() >= halfLeaseNanos",
                  "now >= first.at()")),
          of(
              "lease by now()",
              Scenario.BEAT_WAITS,
              edit(sql("Time"), "return field(\"clock_timestamp()\"", "return field(\"now()\"")),
          of(
              "beats for the dead",
              Scenario.ZOMBIE,
              edit(
                  sql("WorkerRows"),
                  "rows.stream().anyMatch(row -> row.get(\"accepted\", Boolean.class))",
                  "!rows.isEmpty()"),
              edit(
                  WORKER + "Heartbeat.java",
                  "if (live && membership.isHeld(System.nanoTime())) {",
                  "if (live) {")),
          of(
              "drops outcomes that could not be written",
              Scenario.CUT,
              edit(WORKER + "Ledger.java", "trip.runs().forEach(this::post);", "")),
          of(
              "forgets claims without an answer",
              Scenario.CUT,
              edit(
                  WORKER + "ExchangeRecovery.java",
                  "if (!trip.claims()) return;",
                  "if (!trip.claims() || true) return;")),
          of(
              "claims without a lock",
              Scenario.BUSY,
              edit(
                  CLAIMING,
                  ".limit(laneRoom) .forNoKeyUpdate() .skipLocked();",
                  ".limit(laneRoom);")),
          of(
              "never polls",
              Scenario.NO_BELL,
              edit(
                  WORKER + "PollClock.java",
                  "return dueAt - now;",
                  "return longest.toNanos() * 1_000_000;")),
          of(
              "frees a slot twice",
              Scenario.BUSY,
              edit(
                  WORKER + "QueueSlots.java",
                  "@Nullable Task ended(long nanos) { running--;",
                  "@Nullable Task ended(long nanos) { running -= 2;")),
          of(
              "acknowledges what broke",
              Scenario.PRODUCERS,
              edit(
                  PRODUCER + "OwnConnection.java",
                  "if (sent && isBroken(e)) return putAgain(ids, load, e);",
                  "if (sent && isBroken(e)) return Landings.none();")),
          of(
              "refuses what it does not know",
              Scenario.PRODUCERS,
              edit(
                  PRODUCER + "OwnConnection.java",
                  "if (sent && isBroken(e)) return putAgain(ids, load, e);",
                  "")),
          of(
              "answers before the commit",
              Scenario.PRODUCERS,
              edit(
                  PRODUCER + "Committer.java",
                  "Landings landings;\n    try {",
                  "Landings landings;\n    batch.forEach(task -> task.answer().complete(new Enqueued(task.row().id(), Landing.INSERTED)));\n    try {")));
}
