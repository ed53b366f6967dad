package dev.dibs.app;

import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.Json;
import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Tasks on their way in, with the lines they come from; bounded in number and size. Owned by one
 * thread.
 */
final class TaskBatch {
  private record Item(long line, NewTask<Json> task) {}

  private static final int MAX_TASKS = 1_000;
  private static final long MAX_CHARS = 8 << 20;

  private final EnqueueSession session;
  private final List<Item> items = new ArrayList<>();
  private long chars;

  TaskBatch(EnqueueSession session) {
    this.session = session;
  }

  void add(long line, NewTask<Json> task) {
    items.add(new Item(line, task));
    chars += task.payload().text().length();
  }

  boolean isFull() {
    return items.size() >= MAX_TASKS || chars >= MAX_CHARS;
  }

  /**
   * Enqueues all in the open transaction and empties the batch; {@code bad} gets those whose
   * payload is refused.
   *
   * @throws DatabaseException if the database refused: the transaction is lost
   */
  void enqueue(Consumer<DibsException> bad) {
    if (items.isEmpty()) return;
    try {
      session.enqueue(items.stream().map(Item::task).toList());
    } catch (PayloadException e) {
      enqueueOneByOne(bad); // nothing was sent yet; which line it was only shows one by one
    } catch (DatabaseException e) {
      throw new DibsException(
          "lines " + items.getFirst().line + " to " + items.getLast().line + ": " + e.getMessage(),
          e);
    }
    items.clear();
    chars = 0;
  }

  private void enqueueOneByOne(Consumer<DibsException> bad) {
    for (Item item : items) {
      try {
        session.enqueue(List.of(item.task));
      } catch (PayloadException e) {
        bad.accept(new DibsException("line " + item.line + ": " + e.getMessage(), e));
      }
    }
  }
}
