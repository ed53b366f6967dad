package dev.dibs.sql;

import static dev.dibs.sql.Play.holder;
import static dev.dibs.sql.Play.other;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.TaskStatus;
import dev.dibs.sql.Play.Role;
import dev.dibs.sql.Play.Start;
import dev.dibs.sql.Play.Step;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Two and three sessions step through the verbs in every order there is, with transactions left
 * open between the steps. After each step a recorder in the database is held against what the verbs
 * answered: a task is in one table, is completed once, changes hands only by the one who holds it
 * or by rescue or cancellation, and every change was answered for.
 */
@Timeout(120)
class InterleavingTest {
  private static final int PARALLEL = 4;
  private static final Duration LATER = Duration.ofHours(1);

  private static final Step BEGIN = new Step("begin", false, Actor::begin);
  private static final Step BEGIN_STRICTLY =
      new Step("begin strictly", false, Actor::beginStrictly);
  private static final Step COMMIT = new Step("commit", false, Actor::commit);
  private static final Step ROLL_BACK = new Step("roll back", false, Actor::rollBack);
  private static final Step CLAIM = new Step("claim", false, Actor::claim);
  private static final Step FINISH = new Step("finish", true, Actor::finish);
  private static final Step WRITE = new Step("write fenced", true, Actor::writeFenced);
  private static final Step CANCEL = new Step("cancel", true, Actor::cancel);
  private static final Step PROMOTE = new Step("promote", false, Actor::promote);
  private static final Step BEAT = new Step("beat", false, Actor::beat);
  private static final Step LOOK = new Step("look", false, Actor::look);
  private static final Step BURY = new Step("bury", false, Actor::bury);
  private static final Step RESCUE = new Step("rescue", false, actor -> actor.rescue(3));
  private static final Step RESCUE_LAST =
      new Step("rescue for the last time", false, actor -> actor.rescue(1));
  private static final Step RESCUE_ORPHANS =
      new Step("rescue orphans", false, Actor::rescueOrphans);
  private static final Step REMOVE = new Step("remove worker", false, Actor::removeWorker);
  private static final Step SUCCEED =
      new Step("succeed", true, actor -> actor.end(TaskStatus.SUCCEEDED));
  private static final Step DIE = new Step("die", true, actor -> actor.end(TaskStatus.DEAD));
  private static final Step RETRY =
      new Step("retry", true, actor -> actor.giveBack(Duration.ZERO, true));
  private static final Step RETRY_LATER =
      new Step("retry later", true, actor -> actor.giveBack(LATER, true));
  private static final Step SNOOZE =
      new Step("snooze", true, actor -> actor.giveBack(LATER, false));
  private static final Step RELEASE =
      new Step("release", true, actor -> actor.giveBack(Duration.ZERO, false));

  /** Commits that ring wait for each other, on whatever database of the server. */
  private static final Step COMMIT_AND_RING = new Step("commit", true, Actor::commit);

  private static final Step SEE = new Step("see", false, Actor::see);
  private static final Step REVIVE = new Step("revive", true, Actor::revive);
  private static final Step MOVE = new Step("move", true, Actor::move);
  private static final Step CALL_OFF = new Step("call off", true, Actor::callOff);
  private static final Step DELETE = new Step("delete", true, Actor::delete);

  /** What people do to a task as they saw it, but to let it run again. */
  private static final List<Step> ACTIONS = List.of(MOVE, CALL_OFF, DELETE);

  /** All that a run can write last. */
  private static final List<Step> OUTCOMES =
      List.of(SUCCEED, DIE, RETRY, RETRY_LATER, SNOOZE, RELEASE, FINISH);

  private static final Role SUCCESSOR = other(CLAIM, SUCCEED);

  private static final List<Stage> STAGES = new ArrayList<>();
  private static final ExecutorService THREADS = Executors.newFixedThreadPool(PARALLEL);

  @BeforeAll
  static void build() throws SQLException {
    for (int i = 0; i < PARALLEL; i++) STAGES.add(new Stage());
  }

  @AfterAll
  static void tearDown() throws SQLException {
    THREADS.shutdownNow();
    for (Stage stage : STAGES) stage.close();
  }

  static List<Play> plays() {
    List<Play> plays = new ArrayList<>();
    for (Step outcome : OUTCOMES) {
      String name = outcome.name();
      Role run = holder(BEGIN, outcome, COMMIT);
      plays.add(Play.of(name + ", cancelled", Start.HELD, run, other(BEGIN, CANCEL, COMMIT)));
      plays.add(
          Play.of(
              name + ", rolled back and cancelled",
              Start.HELD,
              holder(BEGIN, outcome, ROLL_BACK, outcome),
              other(BEGIN, CANCEL, COMMIT)));
      plays.add(
          Play.of(
              name + " of a worker that beats, rescued",
              Start.HELD,
              holder(BEAT, outcome),
              other(LOOK, BURY, BEGIN, RESCUE, COMMIT, REMOVE)));
      plays.add(
          Play.of(
              name + ", buried", Start.HELD, run, other(BURY, BEGIN, RESCUE_LAST, COMMIT, REMOVE)));
      plays.add(
          Play.of(
              name + ", rescued and run again", Start.HELD, run, other(BURY, RESCUE), SUCCESSOR));
      for (Step again : List.of(SUCCEED, RETRY, FINISH))
        plays.add(
            Play.of(
                name + ", written again as " + again.name(),
                Start.HELD,
                run,
                holder(BEGIN, again, COMMIT)));
    }
    plays.add(
        Play.of(
            "retry, cancelled and run again",
            Start.HELD,
            holder(BEGIN, RETRY, COMMIT),
            other(BEGIN, CANCEL, ROLL_BACK),
            SUCCESSOR));
    plays.add(
        Play.of(
            "two claims and a cancellation",
            Start.PENDING,
            other(BEGIN, CLAIM, COMMIT, SUCCEED),
            other(BEGIN, CLAIM, ROLL_BACK, CLAIM),
            other(CANCEL)));
    plays.add(
        Play.of(
            "two rescues and a finish",
            Start.HELD,
            holder(BEGIN, FINISH, COMMIT),
            other(BURY, BEGIN, RESCUE, COMMIT),
            other(RESCUE)));
    plays.add(
        Play.of(
            "an orphan, finished, rescued and run again",
            Start.ORPHANED,
            holder(BEGIN, FINISH, COMMIT),
            other(BEGIN, RESCUE_ORPHANS, COMMIT),
            SUCCESSOR));
    plays.add(
        Play.of(
            "due, promoted twice, cancelled",
            Start.DUE,
            other(BEGIN, PROMOTE, COMMIT),
            other(PROMOTE, CLAIM, SUCCEED),
            other(CANCEL)));
    plays.add(
        Play.of(
            "a strict finish, rescued and run again",
            Start.HELD,
            holder(BEGIN_STRICTLY, FINISH, COMMIT),
            other(BURY, RESCUE),
            SUCCESSOR));
    plays.add(
        Play.of(
            "a strict cancellation of a retry",
            Start.HELD,
            holder(BEGIN, RETRY, COMMIT),
            other(BEGIN_STRICTLY, CANCEL, COMMIT)));
    plays.add(
        Play.of(
            "fenced writes, rescued and run again",
            Start.HELD,
            holder(BEGIN, WRITE, COMMIT),
            other(BURY, RESCUE),
            other(CLAIM, WRITE, SUCCEED)));
    playActions(plays);
    return plays;
  }

  /** What is done by hand, against what runs, and against what others do by hand. */
  private static void playActions(List<Play> plays) {
    for (Step action : ACTIONS) {
      String name = action.name();
      Role byHand = other(SEE, BEGIN, action, COMMIT_AND_RING);
      plays.add(
          Play.of(
              name + ", claimed and run",
              Start.PENDING,
              byHand,
              other(BEGIN, CLAIM, COMMIT, SUCCEED)));
      plays.add(
          Play.of(
              name + ", the claim rolled back",
              Start.PENDING,
              other(SEE, action),
              other(BEGIN, CLAIM, ROLL_BACK, CLAIM, SUCCEED)));
      plays.add(Play.of(name + ", finished", Start.HELD, byHand, holder(BEGIN, FINISH, COMMIT)));
      plays.add(
          Play.of(name + ", retried by its run", Start.HELD, byHand, holder(BEGIN, RETRY, COMMIT)));
      plays.add(
          Play.of(
              name + ", rescued and run again",
              Start.HELD,
              holder(SUCCEED),
              other(SEE, action),
              other(BURY, RESCUE, CLAIM, SUCCEED)));
      plays.add(Play.of(name + ", due", Start.DUE, byHand, other(BEGIN, PROMOTE, COMMIT, CLAIM)));
      plays.add(
          Play.of(
              "revive, then " + name,
              Start.DEAD,
              other(SEE, BEGIN, REVIVE, COMMIT_AND_RING),
              other(SEE, action, SEE, action)));
      for (Step second : ACTIONS)
        plays.add(
            Play.of(
                name + ", " + second.name(),
                Start.PENDING,
                byHand,
                other(SEE, second),
                other(CLAIM)));
    }
    plays.add(
        Play.of(
            "revived by two and run",
            Start.DEAD,
            other(SEE, BEGIN, REVIVE, COMMIT_AND_RING),
            other(SEE, REVIVE),
            SUCCESSOR));
    plays.add(
        Play.of(
            "revived, rolled back, revived by another",
            Start.DEAD,
            other(SEE, BEGIN, REVIVE, ROLL_BACK),
            other(SEE, BEGIN, REVIVE, COMMIT_AND_RING)));
    plays.add(
        Play.of(
            "it dies and is revived",
            Start.HELD,
            holder(BEGIN, DIE, COMMIT),
            other(SEE, REVIVE, SEE, REVIVE),
            SUCCESSOR));
    plays.add(
        Play.of(
            "it is called off, revived and run, while its first run goes on",
            Start.HELD,
            holder(FINISH),
            other(SEE, CALL_OFF, SEE, REVIVE),
            SUCCESSOR));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("plays")
  void everyOrder_keepsTheRules(Play play) throws Exception {
    performAll(play);
  }

  /** The rules can be broken: what the statements must not do is seen when it is done. */
  @Test
  void anEndingByIdAlone_isSeen() {
    Step ending =
        new Step(
            "end by id",
            true,
            actor ->
                actor.run(
                    "with gone as (delete from dibs.task where id = ? and status = 'PROCESSING' returning *)"
                        + " insert into dibs.task_history (id, created_at, run_at, status, priority, attempt, failures,"
                        + " losses, max_attempts, queue, kind, payload) select id, created_at, run_at, 'SUCCEEDED',"
                        + " priority, attempt, failures, losses, max_attempts, queue, kind, payload from gone"));
    assertSeen("are not the changes", holder(ending), other(BURY, RESCUE), SUCCESSOR);
  }

  @Test
  void aRescueThatDoesNotSkip_isSeen() {
    Step rescue =
        new Step(
            "rescue by id",
            false,
            actor -> actor.run("select from dibs.task where id = ? for update"));
    assertSeen("waits for a lock", holder(BEGIN, SUCCEED, COMMIT), other(rescue));
  }

  @Test
  void aTaskThatVanishes_isSeen() {
    Step loss = new Step("lose", true, actor -> actor.run("delete from dibs.task where id = ?"));
    assertSeen("not there once", holder(SUCCEED), other(loss));
  }

  @Test
  void anActionOnWhatWasNotSeen_isSeen() {
    Step move =
        new Step(
            "move",
            true,
            actor ->
                actor.run(
                    "update dibs.task set attempt = attempt where id = ? and status = 'PENDING'"));
    assertSeen("are not the changes", holder(RETRY), other(move));
  }

  @Test
  void aWriteWithoutItsFence_isSeen() {
    Step write =
        new Step(
            "write",
            true,
            actor ->
                actor.run(
                    "insert into dibs.effect (task, lease) select task, (after).lease from dibs.change where task = ? order by number limit 1"));
    assertSeen("outside its lease", holder(write), other(BURY, RESCUE));
  }

  private static void assertSeen(String rule, Role... roles) {
    assertThatThrownBy(() -> performAll(Play.of("a bug", Start.HELD, roles)))
        .hasStackTraceContaining(rule)
        .hasStackTraceContaining("in the order");
  }

  /** Performs the play in all its orders, on all stages at once, until one breaks a rule. */
  private static void performAll(Play play) throws Exception {
    Queue<List<Integer>> schedules = new ConcurrentLinkedQueue<>(play.schedules());
    List<Callable<Void>> stages = new ArrayList<>();
    for (Stage stage : STAGES) stages.add(() -> perform(play, schedules, stage));
    for (Future<Void> stage : THREADS.invokeAll(stages)) stage.get();
  }

  private static Void perform(Play play, Queue<List<Integer>> schedules, Stage stage)
      throws Exception {
    try {
      for (var turns = schedules.poll(); turns != null; turns = schedules.poll())
        stage.perform(play, turns);
      return null;
    } finally {
      schedules.clear();
    }
  }
}
