package dev.dibs.sql;

import dev.dibs.TaskStatus;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A database of its own on which plays are performed, a step at a time, and judged after each step.
 *
 * <p>A session that waits for a lock keeps its further steps until it has it. Used by one thread.
 */
final class Stage implements AutoCloseable {
  private static final int ACTORS = 3;
  private static final Duration MOMENT = Duration.ofMillis(2);
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final TestDatabase db = TestDatabase.create();
  private final List<Actor> actors = new ArrayList<>();
  private final Connection connection;

  Stage() throws SQLException {
    db.execute(Change.RECORDER);
    // Autovacuum locks out everybody while it cuts off empty pages.
    for (String table : List.of("task", "worker"))
      db.execute("alter table dibs." + table + " set (vacuum_truncate = off)");
    connection = db.connect();
    for (int i = 0; i < ACTORS; i++) actors.add(new Actor(i, db.connect()));
  }

  /** Performs the play in one order. What broke a rule is thrown, with all that led to it. */
  void perform(Play play, List<Integer> turns) throws Exception {
    Scene scene = Scene.open(ACTORS);
    set(scene, play.start());
    List<Actor> cast = actors.subList(0, play.roles().size());
    for (int i = 0; i < cast.size(); i++) cast.get(i).enter(scene, play.roles().get(i));
    try {
      for (int turn : turns) {
        cast.get(turn).next();
        settle(cast, scene);
        judge(cast, scene);
      }
      if (cast.stream().anyMatch(Actor::isBusy)) throw new IllegalStateException("never ended");
    } catch (IllegalStateException | java.util.concurrent.ExecutionException e) {
      throw new AssertionError(
          "%s\n  in the order %s\n  %s"
              .formatted(play, play.told(turns), String.join("\n  ", scene.events())),
          e);
    } finally {
      // Those who rest first: they have what the others wait for.
      for (Actor actor : cast) if (!actor.isBusy()) actor.leave();
      for (Actor actor : cast) actor.leave();
    }
  }

  private void set(Scene scene, Play.Start start) throws SQLException {
    boolean held = start == Play.Start.HELD || start == Play.Start.ORPHANED;
    String status = held ? "PROCESSING" : start == Play.Start.DUE ? "SCHEDULED" : "PENDING";
    execute("delete from dibs.task");
    execute("delete from dibs.worker");
    if (start == Play.Start.DEAD) {
      execute(
          "insert into dibs.task_history (id, queue, kind, status, attempt, created_at, run_at, priority, failures, losses, max_attempts, payload)"
              + " values (?, ?, 'k', 'DEAD', 1, now(), now(), 3, 1, 0, 1, '{}')",
          scene.task(),
          scene.queue());
    }
    if (start != Play.Start.DEAD)
      execute(
          "insert into dibs.task (id, queue, kind, status, attempt, lease, worker_id, run_at)"
              + " values (?, ?, 'k', ?::dibs.task_status, ?, ?, ?, now() - interval '1 second')",
          scene.task(),
          scene.queue(),
          status,
          held ? 1 : 0,
          held ? scene.held().lease() : null,
          held ? scene.workers().getFirst() : null);
    execute(
        "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, lease_until)"
            + " select id, 'h', 1, 'x', '{}', '{}', 1, now() - interval '1 second' from unnest(?) id",
        connection.createArrayOf(
            "uuid", scene.workers().stream().skip(start == Play.Start.ORPHANED ? 1 : 0).toArray()));
  }

  private void execute(String sql, @Nullable Object... values) throws SQLException {
    try (var statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) statement.setObject(i + 1, values[i]);
      statement.executeUpdate();
    }
  }

  /** Waits until every session rests or waits for a lock that a resting one has. */
  private void settle(List<Actor> cast, Scene scene) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    for (List<Actor> busy = busy(cast); !busy.isEmpty(); busy = busy(cast)) {
      busy.getFirst().awaitRest(MOMENT);
      List<Actor> still = busy(busy);
      if (!still.isEmpty() && areBlocked(still)) {
        for (Actor actor : still) {
          scene.events().add(cast.indexOf(actor) + ": waits in " + actor.step().name());
          if (!actor.step().mayWait())
            throw new IllegalStateException(actor.step().name() + " waits for a lock");
        }
        return;
      }
      if (System.nanoTime() - deadline > 0) throw new IllegalStateException("nothing moves");
    }
    for (Actor actor : cast) actor.awaitRest(Duration.ZERO);
  }

  private static List<Actor> busy(List<Actor> cast) {
    return cast.stream().filter(Actor::isBusy).toList();
  }

  private boolean areBlocked(List<Actor> busy) throws SQLException {
    Object[] sessions = busy.stream().map(Actor::session).toArray();
    try (var statement =
        connection.prepareStatement(
            "select bool_and(cardinality(pg_blocking_pids(session)) > 0) from unnest(?) session")) {
      statement.setArray(1, connection.createArrayOf("int4", sessions));
      try (var rows = statement.executeQuery()) {
        rows.next();
        return rows.getBoolean(1);
      }
    }
  }

  /** Holds what was committed against the rules, and against what the actors say they did. */
  private void judge(List<Actor> cast, Scene scene) throws SQLException {
    List<Change> changes = new ArrayList<>();
    try (var statement = connection.prepareStatement(Change.OF_TASK)) {
      statement.setObject(1, scene.task());
      try (var rows = statement.executeQuery()) {
        while (rows.next()) {
          changes.add(Change.read(rows));
          int found = Change.readRows(rows);
          boolean isDeleted =
              cast.stream()
                  .flatMap(a -> a.deeds().stream())
                  .anyMatch(Deed.Deleted.class::isInstance);
          require(found == (isDeleted ? 0 : 1), "the task is not there once", found);
        }
      }
    }
    judgeLife(changes);
    // The first change of a task that began unfinished is that it was put there.
    boolean wasSet = !changes.isEmpty() && changes.getFirst().before() == null;
    judgeDeeds(cast, wasSet ? changes.subList(1, changes.size()) : changes);
    judgeEffects(scene, changes);
  }

  /** The rules for a task's life, whoever changed it. */
  private static void judgeLife(List<Change> changes) {
    Set<@Nullable UUID> leases = new HashSet<>();
    Change.@Nullable Row before = null;
    for (Change change : changes) {
      Change.Row after = change.after();
      boolean isFirst = change.equals(changes.getFirst());
      require(isFirst || Objects.equals(before, change.before()), "a change is missing", change);
      if (isFirst) before = change.before();
      if (after == null) {
        require(change.equals(changes.getLast()), "it came back from nowhere", change);
        return;
      }
      boolean isTaken = after.status() == TaskStatus.PROCESSING;
      require(!isTaken || leases.add(after.lease()), "a lease came back", change);
      if (before != null) {
        boolean isRevival = after.lease() == null && !after.status().isFinal();
        require(!before.status().isFinal() || isRevival, "it changed after its end", change);
        require(after.attempt() >= before.attempt(), "attempts fell", change);
        require(!isTaken || before.status() == TaskStatus.PENDING, "it was taken away", change);
      }
      before = after;
    }
  }

  private static void judgeDeeds(List<Actor> cast, List<Change> changes) {
    for (Actor actor : cast) {
      List<Change> own = changes.stream().filter(c -> c.session() == actor.session()).toList();
      List<Deed> deeds = actor.deeds();
      boolean fits = own.size() == deeds.size();
      for (int i = 0; fits && i < own.size(); i++) fits = deeds.get(i).explains(own.get(i));
      require(fits, deeds + " are not the changes", own);
    }
  }

  /** What handlers wrote lies between the claim of its lease and the end of that. */
  private void judgeEffects(Scene scene, List<Change> changes) throws SQLException {
    try (var statement =
        connection.prepareStatement("select number, lease from dibs.effect where task = ?")) {
      statement.setObject(1, scene.task());
      try (var rows = statement.executeQuery()) {
        while (rows.next()) {
          long number = rows.getLong(1);
          UUID lease = rows.getObject(2, UUID.class);
          boolean tooEarly =
              changes.stream()
                  .anyMatch(c ->
                      c.number() > number
                          && lease.equals(c.leaseAfter())
                          && c.leadsTo(TaskStatus.PROCESSING));
          boolean tooLate =
              changes.stream().anyMatch(c -> c.number() < number && lease.equals(c.leaseBefore()));
          require(!tooEarly && !tooLate, "a write outside its lease " + lease, changes);
        }
      }
    }
  }

  private static void require(boolean kept, String broken, Object evidence) {
    if (!kept) throw broken(broken, evidence);
  }

  private static IllegalStateException broken(String rule, Object evidence) {
    return new IllegalStateException(rule + ": " + evidence);
  }

  @Override
  public void close() throws SQLException {
    for (Actor actor : actors) actor.close();
    connection.close();
    db.close();
  }
}
