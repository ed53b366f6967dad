package dev.dibs.app;

import dev.dibs.sql.Migrations;
import dev.dibs.worker.Worker;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What {@code /health} says: one object, made from memory alone. */
final class HealthReport {
  private static final JsonMapper JSON = JsonMapper.shared();

  private HealthReport() {}

  /** Of a worker that is still waiting for its database there is little to say. */
  static String of(@Nullable Worker worker, int schemaVersion) {
    ObjectNode root = JSON.createObjectNode();
    root.put("version", Dibs.Version.text());
    root.put("live", worker == null || worker.isLive());
    root.put("ready", worker != null && worker.isReady());
    root.put("started", worker != null);
    root.putObject("schema").put("needed", Migrations.VERSION).put("found", schemaVersion);
    if (worker != null) describe(root, worker);
    return root.toPrettyString() + "\n";
  }

  private static void describe(ObjectNode root, Worker worker) {
    Worker.Health health = worker.health();
    root.put("worker", worker.id().toString());
    root.putObject("database").put("answers", health.databaseAnswers());
    root.putObject("lease").put("secondsLeft", health.leaseLeft().toMillis() / 1e3);
    root.put("draining", health.draining());
    root.put("clogged", health.clogged());
    root.putObject("tasks")
        .put("running", health.held().running())
        .put("buffered", health.held().buffered())
        .put("unwrittenOutcomes", health.held().unwritten());
    ObjectNode loops = root.putObject("loops");
    health.loops().forEach(loops::put);
  }
}
