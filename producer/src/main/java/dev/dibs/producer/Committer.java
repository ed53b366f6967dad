package dev.dibs.producer;

import dev.dibs.DatabaseException;
import dev.dibs.EnqueueUnknownException;
import dev.dibs.Landing;
import dev.dibs.sql.InsertTasks;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Commits what waits, one batch after the other, until the room is closed and empty. Each runs on a
 * thread of its own.
 *
 * <p>Whatever happens to a batch, each of its tasks is answered: after its commit, or with what
 * befell it. A batch that the database refuses is halved until those that are at fault stand alone.
 */
final class Committer implements Runnable {
  /**
   * States that every task would meet alike, so that halving finds nobody: no connection, a
   * read-only server, no privileges, no table, no resources.
   */
  private static final Set<String> CONCERN_ALL =
      Set.of("", "08", "0A", "25", "28", "3D", "3F", "42", "53", "58");

  private final WaitingRoom room;
  private final OwnConnection own;
  private final Inserts inserts;
  private final BellRinger ringer;

  Committer(WaitingRoom room, OwnConnection own, Inserts inserts, BellRinger ringer) {
    this.room = room;
    this.own = own;
    this.inserts = inserts;
    this.ringer = ringer;
  }

  @Override
  public void run() {
    for (var batch = room.take(); !batch.isEmpty(); batch = room.take()) {
      commit(batch);
      room.committed(batch.size());
    }
  }

  private void commit(List<WaitingTask> batch) {
    Landings landings;
    try {
      landings = own.put(ids(batch), new FewTasks(inserts, rows(batch)));
    } catch (EnqueueUnknownException e) {
      answer(batch, task -> fail(task, new EnqueueUnknownException(1, cause(e))));
      return;
    } catch (DatabaseException e) {
      if (batch.size() > 1 && isOfSome(e)) commitHalves(batch);
      else answer(batch, task -> fail(task, OwnConnection.refused(1, cause(e))));
      return;
    } catch (RuntimeException | Error e) {
      answer(batch, task -> fail(task, e));
      return;
    }
    ringer.ring(queues(batch));
    // Taken out when answered: of two callers with the same task one has inserted it.
    Set<UUID> untold = landings.inserted();
    answer(batch, task -> succeed(task, landings.of(task.row().id()), untold));
  }

  private void commitHalves(List<WaitingTask> batch) {
    int half = batch.size() / 2;
    commit(batch.subList(0, half));
    commit(batch.subList(half, batch.size()));
  }

  private static boolean isOfSome(DatabaseException e) {
    String state = e.sqlState();
    return !CONCERN_ALL.contains(state.length() > 2 ? state.substring(0, 2) : "");
  }

  private static SQLException cause(DatabaseException e) {
    @Nullable Throwable cause = e.getCause();
    return cause instanceof SQLException sql ? sql : new SQLException(e);
  }

  private static List<UUID> ids(List<WaitingTask> batch) {
    return batch.stream().map(task -> task.row().id()).toList();
  }

  private static List<InsertTasks.Row> rows(List<WaitingTask> batch) {
    return batch.stream().map(WaitingTask::row).toList();
  }

  private static Set<String> queues(List<WaitingTask> batch) {
    Set<String> queues = new TreeSet<>();
    for (WaitingTask task : batch) queues.add(task.row().options().queue());
    return queues;
  }

  /** On a thread of its own, for what callers hang on to their answers must not stop commits. */
  private void answer(List<WaitingTask> batch, Consumer<WaitingTask> answer) {
    Thread.ofVirtual()
        .name("dibs-answer")
        .start(() -> {
          try {
            batch.forEach(answer);
          } finally {
            room.answered(batch.size());
          }
        });
  }

  private static void succeed(WaitingTask task, Enqueued enqueued, Set<UUID> untold) {
    boolean isToldAgain = enqueued.inserted() && !untold.remove(enqueued.id());
    task.answer()
        .complete(isToldAgain ? new Enqueued(enqueued.id(), Landing.ALREADY_THERE) : enqueued);
  }

  private static void fail(WaitingTask task, Throwable reason) {
    task.answer().completeExceptionally(reason);
  }
}
