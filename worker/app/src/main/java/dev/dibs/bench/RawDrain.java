package dev.dibs.bench;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The limit of a drain: every row claimed, read and ended, by two connections in batches of 1,000,
 * and nothing else done for it. No lanes, no kinds, no leases checked, no handlers.
 */
final class RawDrain {
  private static final int BATCH = 1_000;

  private static final String STATEMENT =
      """
      with ended as (delete from $task where id = any(?) returning *),
      archived as (insert into $task_history (id, created_at, run_at, claimed_at, lease, worker_id, status, priority,
          attempt, failures, losses, max_attempts, queue, kind, payload)
        select id, created_at, run_at, claimed_at, lease, worker_id, 'SUCCEEDED', priority, attempt, failures, losses,
          max_attempts, queue, kind, payload from ended where ?),
      picked as materialized (select id from $task where queue = 'bench' and status = 'PENDING' and priority = 3
        and position > ? order by position limit %d for no key update skip locked)
      update $task set status = 'PROCESSING', attempt = attempt + 1, claimed_at = statement_timestamp(), lease = ?,
        worker_id = ? where id = any(array(select id from picked)) returning id, position, payload::text\
      """
          .formatted(BATCH);

  private RawDrain() {}

  static void drain(BenchDatabase db, boolean history) throws Exception {
    EnqueueSingle.together(2, () -> loop(db, history));
  }

  private static boolean loop(BenchDatabase db, boolean history) throws Exception {
    try (Connection connection = db.connect();
        PreparedStatement statement = connection.prepareStatement(db.inSchema(STATEMENT))) {
      List<UUID> held = List.of();
      long floor = 0;
      do {
        statement.setArray(1, connection.createArrayOf("uuid", held.toArray()));
        statement.setBoolean(2, history);
        statement.setLong(3, floor);
        statement.setObject(4, UUID.randomUUID());
        statement.setObject(5, UUID.randomUUID());
        List<UUID> claimed = new ArrayList<>(BATCH);
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) {
            claimed.add(rows.getObject(1, UUID.class));
            floor = Math.max(floor, rows.getLong(2));
            if (rows.getString(3).isEmpty())
              throw new IllegalStateException("a payload is missing");
          }
        }
        held = claimed;
      } while (!held.isEmpty());
    }
    return true;
  }
}
