package dev.dibs.app;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jooq.DSLContext;

/**
 * How far the demo is, at one moment.
 *
 * @param waiting tasks that are ready or will be
 * @param running tasks that a process holds
 * @param byProcess how many tasks each process has done
 */
record DemoProgress(long waiting, long running, Map<String, Long> byProcess) {

  static DemoProgress read(
      DSLContext dsl, String dibs, String queue, List<DemoProcesses.Member> members) {
    var depth =
        dsl.fetchSingle(
            """
            select count(*) filter (where status <> 'PROCESSING'), count(*) filter (where status = 'PROCESSING')
            from "%s".task where queue = ?\
            """
                .formatted(dibs),
            queue);
    Map<String, Long> byProcess = new LinkedHashMap<>();
    members.forEach(member -> byProcess.put(member.name(), 0L));
    dsl.fetch("select process, count(*) from effect group by process")
        .forEach(row -> byProcess.put(row.get(0, String.class), row.get(1, Long.class)));
    return new DemoProgress(depth.get(0, Long.class), depth.get(1, Long.class), byProcess);
  }

  long done() {
    return byProcess.values().stream().mapToLong(Long::longValue).sum();
  }

  boolean isOver() {
    return waiting + running == 0;
  }
}
