package dev.dibs.chaos;

import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.chaos.Violation.Promise;
import dev.dibs.producer.Producer;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/** What the author of a scenario says to a stage. Used by one thread. */
final class Script {
  /** Scenarios wait for each step; a step that does not come is a broken promise. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final String JUDGE = "judge";

  private final Stage stage;
  private final Recorder recorder;

  Script(Stage stage) throws IOException {
    this.stage = stage;
    this.recorder = Recorder.open(stage.directory(), JUDGE);
  }

  Stage stage() {
    return stage;
  }

  Duration lease() {
    return stage.setting().workload().lease();
  }

  /** Enqueues from here, past all proxies. */
  void enqueue(List<NewTask<Work>> tasks) {
    var dataSource = new PGSimpleDataSource();
    dataSource.setUrl(
        "jdbc:postgresql://127.0.0.1:%d/postgres?user=postgres&ApplicationName=%s"
            .formatted(stage.cluster().primary().port(), JUDGE));
    tasks.forEach(task -> record(Event.Type.ENQUEUE, task.id()));
    try (var producer = Producer.on(dataSource)) {
      producer.enqueue(tasks);
    }
    tasks.forEach(task -> record(Event.Type.ENQUEUED, task.id()));
  }

  List<NewTask<Work>> enqueue(int count, Kind<Work> kind, Work work) {
    List<NewTask<Work>> tasks = Stream.generate(() -> work.task(kind)).limit(count).toList();
    enqueue(tasks);
    return tasks;
  }

  /** For tasks that come in by other ways. */
  void record(Event.Type type, UUID task) {
    recorder.write(type, task, 0, task.toString());
  }

  /**
   * Waits until {@code process} has started all of these; the first that is not started in time is
   * a violation, and the others are waited for no more.
   */
  void awaitStarts(List<NewTask<Work>> tasks, Predicate<String> process) {
    for (NewTask<Work> task : tasks) {
      boolean started =
          Await.met(
              PATIENCE,
              () ->
                  stage.events().stream()
                      .anyMatch(event ->
                          event.is(Event.Type.START)
                              && event.task().equals(task.id())
                              && process.test(event.process())));
      if (started) continue;
      broken(Promise.PROGRESS, task.id(), "was not started within " + PATIENCE);
      return;
    }
  }

  void broken(Promise promise, UUID task, String what) {
    stage.journal().saw(new Violation(promise, task, what));
  }

  /** Terminates the connections of all processes of the fleet. */
  void terminateAll() throws SQLException {
    stage
        .cluster()
        .primary()
        .execute(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where backend_type = 'client backend' and application_name <> 'judge'
            """);
  }

  /** The changes since {@code seq} that took a task from its worker. */
  List<Audit.Change> rescuesSince(long seq) throws SQLException {
    List<Audit.Change> rescues = new ArrayList<>();
    for (Audit.Change change : stage.history().audit().changes()) {
      Audit.@Nullable Row before = change.before();
      Audit.@Nullable Row after = change.after();
      if (change.seq() > seq && before != null && after != null && before.losses() < after.losses())
        rescues.add(change);
    }
    return rescues;
  }

  /** The changes by which a worker that was never declared dead made a task ready again. */
  List<Audit.Change> givenBack() throws SQLException {
    List<Audit.Change> changes = stage.history().audit().changes();
    Map<String, Set<UUID>> names = new HashMap<>();
    for (Audit.Change change : changes) {
      Audit.@Nullable Row after = change.after();
      if (after != null && after.worker() != null)
        names.computeIfAbsent(change.actor(), any -> new HashSet<>()).add(after.worker());
    }
    List<Audit.Change> back = new ArrayList<>();
    for (Audit.Change change : changes) {
      Audit.@Nullable Row before = change.before();
      Audit.@Nullable Row after = change.after();
      if (before == null
          || after == null
          || names.getOrDefault(change.actor(), Set.of()).size() != 1) continue;
      boolean isBack = before.is("PROCESSING") && after.is("PENDING");
      if (isBack && before.losses() == after.losses()) back.add(change);
    }
    return back;
  }

  /** The last change so far. */
  long seq() throws SQLException {
    return Long.parseLong(
        stage
            .cluster()
            .primary()
            .value(
                "select greatest(coalesce((select max(seq) from chaos.audit), 0), (select max(seq) from chaos.life))"));
  }
}
