package dev.dibs.sql;

import dev.dibs.TaskStatus;
import java.sql.Connection;
import java.util.List;

/**
 * Finds the queues that have tasks of a status, by skipping from one to the next in an index that
 * begins with the queue. A few pages a queue, and of history in each partition. Thread-safe.
 */
final class QueueNames {
  /** So many queues are walked side by side. */
  static final int MOST = 200;

  private final Schema schema;

  QueueNames(Schema schema) {
    this.schema = schema;
  }

  /**
   * The queues, by name.
   *
   * @throws IllegalArgumentException if there are more than can be walked side by side
   */
  List<String> of(Connection connection, TaskStatus status) {
    List<String> names = first(connection, status, MOST + 1);
    if (names.size() > MOST)
      throw new IllegalArgumentException(
          "more than %d queues have tasks that are %s; name one of them".formatted(MOST, status));
    return names;
  }

  /** The first of them, at most so many. */
  List<String> first(Connection connection, TaskStatus status, int most) {
    String table = status.isFinal() ? "task_history" : "task";
    String which =
        switch (status) {
          case SUCCEEDED, CANCELLED -> "true";
          case SCHEDULED, BLOCKED, PENDING, PROCESSING, DEAD ->
              "t.status = '" + status.name() + "'";
        };
    String sql =
        """
        with recursive names (queue) as (
          (select t.queue from "%1$s".%2$s t where %3$s order by t.queue limit 1)
          union all
          select (select t.queue from "%1$s".%2$s t where %3$s and t.queue > n.queue order by t.queue limit 1)
          from names n where n.queue is not null)
        select queue from names where queue is not null limit %4$s\
        """
            .formatted(schema.name(), table, which, most);
    return schema.dsl(connection).resultQuery(sql).fetch(0, String.class);
  }
}
