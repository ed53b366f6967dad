package dev.dibs.app;

import dev.dibs.BulkOrder;
import dev.dibs.BulkRow;
import dev.dibs.Text;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Bulks in words and as JSON. */
final class BulkText {
  private BulkText() {}

  /** Such as 41,288 done, 212 skipped. */
  static String counts(BulkRow row) {
    var progress = row.progress();
    return String.format(java.util.Locale.ROOT, "%,d done", progress.done())
        + some(progress.skipped(), "skipped")
        + some(progress.failed(), "failed");
  }

  private static String some(long count, String what) {
    return count == 0 ? "" : String.format(java.util.Locale.ROOT, ", %,d %s", count, what);
  }

  /** How it stands, why some tasks were left alone, and what can be done about it. */
  static List<String> lines(BulkRow row) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "bulk %s, %s, is %s: %s"
            .formatted(row.id(), row.order().change().action(), state(row), counts(row)));
    row.error().ifPresent(error -> lines.add("  " + Text.storable(error).replace('\n', ' ')));
    for (BulkRow.Skip skip : row.skips())
      lines.add(
          "  left alone: %s, %s"
              .formatted(skip.id(), Text.storable(skip.why()).replace('\n', ' ')));
    if (row.status() == BulkRow.Status.STOPPED
        || row.status() == BulkRow.Status.FAILED
        || isAlone(row)) lines.add("  go on with `dibs bulk resume %s`".formatted(row.id()));
    return lines;
  }

  static String state(BulkRow row) {
    return isAlone(row) ? "RUNNING, but its process is gone" : row.status().name();
  }

  private static boolean isAlone(BulkRow row) {
    return row.status() == BulkRow.Status.RUNNING && !row.state().driven();
  }

  static String json(BulkRow row) {
    BulkOrder order = row.order();
    ObjectNode node =
        JsonMapper.shared()
            .createObjectNode()
            .put("id", row.id().toString())
            .put("action", order.change().action())
            .put("taskStatus", order.filter().status().name())
            .put("status", row.status().name())
            .put("driven", row.state().driven())
            .put("seen", row.progress().seen())
            .put("done", row.progress().done())
            .put("skipped", row.progress().skipped())
            .put("failed", row.progress().failed())
            .put("by", row.asked().actor())
            .put("why", row.asked().why())
            .put("startedAt", row.times().started().toString())
            .put("steppedAt", row.times().stepped().toString());
    order.filter().queue().ifPresent(queue -> node.put("queue", queue));
    order.filter().kind().ifPresent(kind -> node.put("kind", kind));
    row.progress().expected().ifPresent(expected -> node.put("expected", expected));
    row.times().ended().ifPresent(ended -> node.put("endedAt", ended.toString()));
    row.error().ifPresent(error -> node.put("error", error));
    var skips = node.putArray("leftAlone");
    for (BulkRow.Skip skip : row.skips())
      skips.addObject().put("id", skip.id().toString()).put("why", skip.why());
    return node.toString();
  }
}
