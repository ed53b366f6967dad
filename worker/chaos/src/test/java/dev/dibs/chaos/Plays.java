package dev.dibs.chaos;

import dev.dibs.Codec;
import dev.dibs.NewTask;
import dev.dibs.chaos.Violation.Promise;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The stories of the scenarios. */
final class Plays {
  private static final int LONG_MILLIS = 5_000;

  private Plays() {}

  /** Three workers, many short tasks: claims meet, slots are reused. */
  static void busy(Script script) {
    for (int i = 0; i < 6; i++) {
      script.enqueue(50, Work.OUTSIDE, Work.taking(5));
      script.enqueue(20, Work.INSIDE, Work.taking(20));
      Await.pass(Duration.ofMillis(100));
    }
  }

  /**
   * A worker is stopped beyond its lease, another one runs its tasks, the first wakes up while they
   * run: what it ends, puts off and commits is refused, and it comes back under a new name.
   */
  static void zombie(Script script) throws Exception {
    Member first = script.stage().workers().getFirst();
    List<NewTask<Work>> tasks = new ArrayList<>();
    tasks.add(Work.taking(LONG_MILLIS).task(Work.OUTSIDE));
    tasks.add(Work.taking(LONG_MILLIS).goingOn().task(Work.OUTSIDE));
    tasks.add(new Work(LONG_MILLIS, true, 1, false, "done", false).task(Work.OUTSIDE));
    tasks.add(Work.taking(LONG_MILLIS).goingOn().task(Work.INSIDE));
    script.enqueue(tasks);
    script.awaitStarts(tasks, first.processName()::equals);
    first.freeze();
    Member second = script.stage().addWorker();
    script.awaitStarts(tasks, second.processName()::equals);
    first.thaw();
    Await.pass(script.lease().multipliedBy(2));
    comesBack(script);
  }

  /**
   * Both workers are in good standing: whatever is claimed from now on is claimed by the living.
   */
  private static void comesBack(Script script) throws Exception {
    long seq = script.seq();
    List<NewTask<Work>> more = script.enqueue(16, Work.OUTSIDE, Work.taking(500));
    script.awaitStarts(more, any -> true);
    Audit audit = script.stage().history().audit();
    var owners = new Owners(audit.lives());
    for (Audit.Change change : audit.changes()) {
      Audit.@Nullable Row after = change.after();
      if (change.seq() <= seq || after == null || !after.is("PROCESSING")) continue;
      if (!owners.isAlive(after.worker(), change.seq()))
        script.broken(
            Promise.OWNERSHIP, change.id(), "was claimed in the name of a worker that is dead");
    }
  }

  /**
   * A worker claims in a suffix that a failover loses; another claims the same task, by the same
   * attempt, from the new primary: the first can no more end it.
   */
  static void lostSuffix(Script script) throws Exception {
    Cluster cluster = script.stage().cluster();
    Member first = script.stage().workers().getFirst();
    List<NewTask<Work>> tasks = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      tasks.add(Work.taking(LONG_MILLIS).goingOn().task(Work.OUTSIDE).delay(Duration.ofSeconds(3)));
      tasks.add(Work.taking(LONG_MILLIS).goingOn().task(Work.INSIDE).delay(Duration.ofSeconds(3)));
    }
    script.enqueue(tasks);
    script.enqueue(1, Work.OUTSIDE, Work.taking(1)); // rings, which tasks for later do not
    long lagSince = cluster.beginLag();
    script.awaitStarts(tasks, first.processName()::equals);
    first.freeze();
    long from = System.nanoTime();
    cluster.promote(lagSince);
    script.stage().journal().serverIsBack(from);
    Member second = script.stage().addWorker();
    script.awaitStarts(tasks, second.processName()::equals);
    first.thaw();
  }

  /** A worker dies with tasks, and two others find out at the same time. */
  static void twoRescuers(Script script) {
    List<NewTask<Work>> tasks = script.enqueue(12, Work.OUTSIDE, Work.taking(1_000));
    script.awaitStarts(tasks.subList(0, 1), any -> true);
    Await.pass(Duration.ofMillis(100));
    kill(script, script.stage().workers().getFirst());
    script.awaitStarts(tasks, any -> true);
  }

  private static void kill(Script script, Member member) {
    String killed = member.kill();
    if (killed == null) throw new IllegalStateException(member.processName() + " was not there");
    script.stage().journal().killed(killed);
  }

  /** Somebody has locked one row of a dead worker: the others are rescued all the same. */
  static void lockedRow(Script script) throws Exception {
    Member first = script.stage().workers().getFirst();
    Member second = script.stage().workers().getLast();
    second.freeze();
    List<NewTask<Work>> tasks = script.enqueue(4, Work.OUTSIDE, Work.taking(20_000));
    script.awaitStarts(tasks, first.processName()::equals);
    second.thaw();
    try (Connection connection = script.stage().cluster().primary().connect()) {
      connection.setAutoCommit(false);
      try (var lock =
          connection.prepareStatement("select from dibs.task where id = ? for update")) {
        lock.setObject(1, tasks.getFirst().id());
        lock.execute();
        kill(script, first);
        script.awaitStarts(tasks.subList(1, tasks.size()), second.processName()::equals);
      }
      connection.rollback();
    }
  }

  /**
   * After an outage longer than the lease one worker is back at once and another a little later:
   * nobody died, so no task counts as lost.
   */
  static void lateBeat(Script script) throws Exception {
    List<NewTask<Work>> tasks = script.enqueue(8, Work.OUTSIDE, Work.taking(30_000));
    script.awaitStarts(tasks, any -> true);
    Await.pass(Duration.ofSeconds(1)); // claims are committed lazily: a crash may forget them
    Member late = script.stage().workers().getLast();
    late.proxy().refuse();
    long from = System.nanoTime();
    script.stage().cluster().crash(script.lease().plusSeconds(1));
    script.stage().journal().serverIsBack(from);
    long seq = script.seq();
    Await.pass(script.lease().dividedBy(4));
    late.proxy().heal();
    Await.pass(script.lease());
    for (Audit.Change rescue : script.rescuesSince(seq))
      script.broken(Promise.OWNERSHIP, rescue.id(), "was taken from a worker that was only late");
    for (Member worker : script.stage().workers()) worker.kill();
    endAll(script);
  }

  /** The judge ends what nobody will wait for. */
  private static void endAll(Script script) throws Exception {
    script
        .stage()
        .cluster()
        .primary()
        .execute(
            """
            set session_replication_role = replica; -- the audit need not see this
            delete from dibs.task
            """);
  }

  /** Beats that wait for a lock give a whole lease all the same. */
  static void beatWaits(Script script) throws Exception {
    Duration wait = script.lease().dividedBy(4);
    for (int i = 0; i < 6; i++) {
      try (Connection connection = script.stage().cluster().primary().connect();
          var statement = connection.createStatement()) {
        connection.setAutoCommit(false);
        statement.execute("lock table dibs.worker in access exclusive mode");
        Await.pass(wait);
        connection.rollback();
      }
      // A beat comes at the end of each wait: so the next one meets the next lock early.
      Await.pass(script.lease().dividedBy(20).multipliedBy(2 + i % 2));
    }
  }

  /**
   * Connections break before and after the server did what it was asked. The worker lives and
   * beats, so no task is given back: what it claimed it runs, and what it ran it writes down.
   */
  static void cut(Script script) throws Exception {
    FaultyProxy proxy = script.stage().workers().getFirst().proxy();
    for (int i = 0; i < 24; i++) {
      if (i % 4 == 0) proxy.cutReplies(1, Work.PAYLOAD); // the answer to the claim
      script.enqueue(4, i % 3 == 0 ? Work.INSIDE : Work.OUTSIDE, Work.taking(120));
      if (i % 4 == 2) proxy.cutReplies(2);
      Await.pass(Duration.ofMillis(130));
      if (i % 2 == 1) script.terminateAll();
    }
    proxy.heal();
    script.stage().drains(Duration.ofSeconds(45));
    for (Audit.Change back : script.givenBack())
      script.broken(Promise.OWNERSHIP, back.id(), "was given back by a worker that had it");
  }

  /** A task comes in by plain SQL, and nobody rings. */
  static void noBell(Script script) throws Exception {
    Await.pass(Duration.ofSeconds(3)); // what still rings from the start has rung
    NewTask<Work> task = Work.taking(1).task(Work.OUTSIDE);
    script.record(Event.Type.ENQUEUE, task.id());
    insert(script, task.id(), Codec.jackson().encode(task.payload()));
    script.record(Event.Type.ENQUEUED, task.id());
    script.awaitStarts(List.of(task), any -> true);
  }

  private static void insert(Script script, UUID id, String payload) throws Exception {
    try (Connection connection = script.stage().cluster().primary().connect();
        var insert =
            connection.prepareStatement(
                "insert into dibs.task (id, queue, kind, payload) values (?, ?, ?, ?::jsonb)")) {
      insert.setObject(1, id);
      insert.setString(2, Work.QUEUE);
      insert.setString(3, Work.OUTSIDE.name());
      insert.setString(4, payload);
      insert.executeUpdate();
    }
  }

  /** Producers whose connections break all the time. */
  static void producers(Script script) throws Exception {
    for (int i = 0; i < 12; i++) {
      for (Member producer : script.stage().producers()) {
        if (i % 3 == 0) producer.proxy().cutReplies(2);
        if (i % 3 == 1) producer.proxy().reset();
      }
      Await.pass(Duration.ofMillis(200));
      if (i % 3 == 2) script.terminateAll();
      Await.pass(Duration.ofMillis(200));
    }
    script.stage().producers().forEach(producer -> producer.proxy().heal());
    script.stage().stopInGoodOrder(script.stage().producers());
  }
}
