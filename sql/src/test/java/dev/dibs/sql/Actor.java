package dev.dibs.sql;

import dev.dibs.Priority;
import dev.dibs.Request;
import dev.dibs.Task;
import dev.dibs.TaskStatus;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/**
 * A session with the database and the thread that drives it, one step after the other.
 *
 * <p>The verbs run on that thread alone; what they leave is read while it rests.
 */
final class Actor implements AutoCloseable {
  private static final Duration LEASE = Duration.ofHours(1);
  private static final Exchange EXCHANGE = new Exchange(Schema.DEFAULT);
  private static final FinishTask FINISH = new FinishTask(Schema.DEFAULT);
  private static final CancelTask CANCEL = new CancelTask(Schema.DEFAULT);
  private static final RescueTasks RESCUE = new RescueTasks(Schema.DEFAULT);
  private static final PromoteTasks PROMOTE = new PromoteTasks(Schema.DEFAULT);
  private static final ActOnTask ACT = new ActOnTask(Schema.DEFAULT);
  private static final FindTask FIND = new FindTask(Schema.DEFAULT);
  private static final WorkerRows WORKERS = new WorkerRows(Schema.DEFAULT);

  private final int number;
  private final Connection connection;
  private final int session;
  private final ExecutorService thread = Executors.newSingleThreadExecutor();
  private final List<Deed> deeds = new CopyOnWriteArrayList<>();
  private final List<Deed> uncommitted = new ArrayList<>();
  private final Deque<Play.Step> steps = new ArrayDeque<>();
  private CompletableFuture<?> last = CompletableFuture.completedFuture(null);
  private volatile Play.@Nullable Step step;
  private Scene scene = Scene.open(0);
  private Task.@Nullable Hold hold;
  private WorkerRows.@Nullable Sign sign;
  private ActOnTask.@Nullable Seen seen;
  private boolean isStrict;
  private boolean isRefused;

  Actor(int number, Connection connection) throws SQLException {
    this.number = number;
    this.connection = connection;
    this.session = connection.unwrap(PGConnection.class).getBackendPID();
    connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
  }

  int session() {
    return session;
  }

  /** What it has done and committed. */
  List<Deed> deeds() {
    return List.copyOf(deeds);
  }

  void enter(Scene scene, Play.Role role) {
    this.scene = scene;
    hold = role.holds() ? scene.held() : null;
    sign = null;
    seen = null;
    deeds.clear();
    steps.addAll(role.steps());
  }

  /** Takes its next step, as soon as it is through with those before. */
  void next() {
    Play.Step next = steps.removeFirst();
    last = last.thenRunAsync(() -> take(next), thread);
  }

  private void take(Play.Step next) {
    step = next;
    try {
      next.act().by(this);
    } catch (SQLException e) {
      // A strict transaction that was overtaken is told so, and nothing of it remains.
      if (!isStrict || !"40001".equals(e.getSQLState())) throw new IllegalStateException(e);
      tell(next.name() + " was overtaken");
      isRefused = true;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  boolean isBusy() {
    return !last.isDone();
  }

  /** The step it is at. */
  Play.Step step() {
    if (step == null) throw new IllegalStateException("no step was taken");
    return step;
  }

  /** Waits a moment for it to come to rest; throws what went wrong in a step. */
  void awaitRest(Duration moment) throws Exception {
    try {
      last.get(moment.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      // It is still busy, as the caller will see.
    }
  }

  /** Ends what the performance left open. */
  void leave() throws Exception {
    steps.clear();
    last.handle((done, failure) -> "ended").get(20, TimeUnit.SECONDS);
    last = CompletableFuture.completedFuture(null);
    if (!connection.getAutoCommit()) rollBack();
  }

  @Override
  public void close() throws SQLException {
    thread.shutdownNow();
    connection.close();
  }

  private UUID worker() {
    return scene.workers().get(number);
  }

  private void tell(String what) {
    scene.events().add(number + ": " + what);
  }

  private void did(String what, Deed deed) throws SQLException {
    tell(what);
    (connection.getAutoCommit() ? deeds : uncommitted).add(deed);
  }

  void begin() throws SQLException {
    connection.setAutoCommit(false);
  }

  /** Begins a transaction that sees the database as it is now, until its end. */
  void beginStrictly() throws SQLException {
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    connection.setAutoCommit(false);
    isStrict = true;
    try (var statement = connection.createStatement()) {
      statement.execute("select from dibs.effect limit 1");
    }
  }

  /** Commits; a transaction in which something was refused is rolled back, as the engine does. */
  void commit() throws SQLException {
    if (isRefused) {
      rollBack();
    } else {
      connection.commit();
      deeds.addAll(uncommitted);
      tell("commits " + uncommitted);
      endTransaction();
    }
  }

  void rollBack() throws SQLException {
    connection.rollback();
    tell("rolls back");
    endTransaction();
  }

  private void endTransaction() throws SQLException {
    uncommitted.clear();
    isRefused = false;
    isStrict = false;
    connection.setAutoCommit(true);
    connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
  }

  void claim() throws SQLException {
    var lane = new Exchange.LaneRoom(new Task.Lane(scene.queue(), Priority.NORMAL), 0, 5);
    var claim =
        new Exchange.Claim(
            worker(), UUID.randomUUID(), List.of(lane), Map.of(scene.queue(), 5), Set.of("k"));
    List<Task> claimed = EXCHANGE.run(connection, Exchange.Outcomes.NONE, claim).claimed();
    if (claimed.isEmpty()) {
      tell("claims nothing");
    } else {
      hold = claimed.getFirst().hold();
      did("claims " + claimed.getFirst().hold(), new Deed.Claimed(hold.lease()));
    }
  }

  void end(TaskStatus status) throws SQLException {
    if (hold == null) return;
    var ended = new Exchange.Ended(hold, status, status == TaskStatus.DEAD ? "{}" : null);
    write(
        new Exchange.Outcomes(List.of(ended), List.of()),
        status.name(),
        new Deed.Ended(hold.lease(), status));
  }

  void giveBack(Duration delay, boolean failed) throws SQLException {
    if (hold == null) return;
    var again = new Exchange.Again(hold, delay, failed, failed ? "{}" : null);
    TaskStatus status = delay.isZero() ? TaskStatus.PENDING : TaskStatus.SCHEDULED;
    write(
        new Exchange.Outcomes(List.of(), List.of(again)),
        (failed ? "a failure to " : "back to ") + status,
        new Deed.GivenBack(hold.lease(), status, failed));
  }

  private void write(Exchange.Outcomes outcomes, String what, Deed deed) throws SQLException {
    var nothing = new Exchange.Claim(worker(), UUID.randomUUID(), List.of(), Map.of(), Set.of());
    if (EXCHANGE.run(connection, outcomes, nothing).refused().isEmpty()) did(what, deed);
    else tell(what + " was refused");
  }

  /** The handler's own write and the completion under the lease, in one transaction. */
  void finish() throws SQLException {
    if (hold == null) return;
    boolean alone = connection.getAutoCommit();
    if (alone) begin();
    try (var effect =
        connection.prepareStatement("insert into dibs.effect (task, lease) values (?, ?)")) {
      effect.setObject(1, hold.id());
      effect.setObject(2, hold.lease());
      effect.executeUpdate();
    }
    if (FINISH.finishIfHeld(connection, hold))
      did("finishes", new Deed.Ended(hold.lease(), TaskStatus.SUCCEEDED));
    else {
      tell("finish was refused");
      isRefused = true;
    }
    if (alone) commit();
  }

  /** A write of the handler's in a transaction of its own, fenced. */
  void writeFenced() throws SQLException {
    if (hold == null) return;
    String sql = "insert into dibs.effect (task, lease) select ?, ? where " + FINISH.fence();
    try (var effect = connection.prepareStatement(sql)) {
      effect.setObject(1, hold.id());
      effect.setObject(2, hold.lease());
      List<Object> fence = FinishTask.fenceValues(hold);
      for (int i = 0; i < fence.size(); i++) effect.setObject(3 + i, fence.get(i));
      tell("writes " + effect.executeUpdate() + " rows");
    }
  }

  void cancel() throws SQLException {
    Optional<CancelTask.Found> found = CANCEL.cancel(connection, scene.task(), "why");
    if (found.isEmpty()) throw new IllegalStateException("the task to be cancelled was not found");
    if (found.get().status().isFinal()) tell("finds it " + found.get().status());
    else did("cancels " + found.get(), new Deed.Cancelled(found.get()));
  }

  /** Sees how the task stands, as an operator on a page. */
  void see() {
    seen =
        FIND.find(connection, scene.task())
            .map(page ->
                new ActOnTask.Seen(page.row().id(), page.row().status(), page.row().attempt()))
            .orElse(null);
    tell("sees " + seen);
  }

  private interface Action {
    ActOnTask.Came on(ActOnTask.Seen seen, Request request) throws SQLException;
  }

  private void act(String verb, Action action, BiFunction<TaskStatus, Integer, Deed> deed)
      throws SQLException {
    if (seen == null) return;
    ActOnTask.Came came = action.on(seen, Request.of("somebody", "test", "why"));
    if (came.result().equals("done")) did(verb, deed.apply(seen.status(), seen.attempt()));
    else tell(verb + " was " + came.result() + ": " + came.message());
  }

  /** Lets the task run again as it was seen, if it had ended then. */
  void revive() throws SQLException {
    if (seen == null || !seen.status().isFinal() || seen.status() == TaskStatus.SUCCEEDED) return;
    act("revives", (at, by) -> ACT.retry(connection, at, Duration.ZERO, by), Deed.Revived::new);
  }

  void move() throws SQLException {
    act("moves", (at, by) -> ACT.move(connection, at, scene.queue() + "x", by), Deed.Steered::new);
  }

  void callOff() throws SQLException {
    act("calls off", (at, by) -> ACT.cancel(connection, at, by), Deed.CalledOff::new);
  }

  void delete() throws SQLException {
    act("deletes", (at, by) -> ACT.delete(connection, at, by), Deed.Deleted::new);
  }

  void promote() throws SQLException {
    if (PROMOTE.promote(connection, 10).tasks() > 0) did("promotes", new Deed.Promoted());
    else tell("promotes nothing");
  }

  void beat() {
    boolean isBuried = scene.buried().contains(worker());
    boolean accepted = WORKERS.beatIfLive(connection, worker(), LEASE).accepted();
    tell("beats: " + accepted);
    if (accepted && isBuried) throw new IllegalStateException("a dead worker beats");
  }

  /** Looks how the first worker stands. */
  void look() {
    sign =
        WORKERS.beatIfLive(connection, worker(), LEASE).signs().stream()
            .filter(one -> one.worker().equals(first()))
            .findFirst()
            .orElse(null);
    tell("looks");
  }

  private UUID first() {
    return scene.workers().getFirst();
  }

  /** Declares the first worker dead, by what it looked like when it was looked at. */
  void bury() {
    if (sign == null) look();
    if (sign == null) return;
    boolean buried = WORKERS.buryIfSilent(connection, sign);
    if (buried) scene.buried().add(first());
    tell("buries: " + buried);
  }

  /** Rescues the tasks of the first worker if that was declared dead. */
  void rescue(int maxLosses) throws SQLException {
    if (!scene.buried().contains(first())) return;
    rescued(RESCUE.rescue(connection, first(), "h", maxLosses, 10));
  }

  void rescueOrphans() throws SQLException {
    rescued(RESCUE.rescueOrphans(connection, 3, 10));
  }

  private void rescued(RescueTasks.Rescued rescued) throws SQLException {
    boolean any = rescued.returned() + rescued.buried() > 0;
    if (any) did("rescues", new Deed.Rescued(first(), rescued.buried() > 0));
    else tell("rescues nothing");
  }

  void removeWorker() {
    if (scene.buried().contains(first()))
      tell("removes the worker: " + WORKERS.removeIfIdle(connection, first()));
  }

  /** Runs a statement with the task's id, as somebody who knows no leases. */
  void run(String sql) throws SQLException {
    try (var statement = connection.prepareStatement(sql)) {
      statement.setObject(1, scene.task());
      statement.execute();
      tell("changes " + Math.max(0, statement.getUpdateCount()) + " rows by " + sql);
    }
  }
}
