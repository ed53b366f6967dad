package dev.dibs.chaos;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What the triggers in the database wrote down, in its order. */
record Audit(List<Change> changes, List<Life> lives, List<Effect> effects) {
  /** A task's row at one moment, as far as it matters who holds it. */
  record Row(String status, @Nullable UUID lease, @Nullable UUID worker, int attempt, int losses) {
    boolean is(String other) {
      return status.equals(other);
    }
  }

  /**
   * A change of a task's row, or ({@code history}) what the deleted task became.
   *
   * @param actor the process whose connection it was
   */
  record Change(
      long seq,
      long txid,
      String actor,
      String op,
      UUID id,
      String kind,
      @Nullable Row before,
      @Nullable Row after) {
    boolean is(String other) {
      return op.equals(other);
    }
  }

  /** A change of a worker's row; {@code leaseLeft} in seconds at that moment. */
  record Life(
      long seq, String actor, String op, UUID worker, String status, long beat, double leaseLeft) {}

  /** What a handler wrote in its transaction. */
  record Effect(UUID task, int attempt, @Nullable UUID child, String actor) {}

  Audit {
    changes = List.copyOf(changes);
    lives = List.copyOf(lives);
    effects = List.copyOf(effects);
  }

  /** Reads all of it. */
  static Audit read(Connection connection) throws SQLException {
    return new Audit(changes(connection), lives(connection), effects(connection));
  }

  private static List<Change> changes(Connection connection) throws SQLException {
    List<Change> changes = new ArrayList<>();
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery("select * from chaos.lasting order by seq")) {
      while (rows.next()) {
        changes.add(
            new Change(
                rows.getLong("seq"),
                rows.getLong("txid"),
                rows.getString("actor"),
                rows.getString("op"),
                rows.getObject("id", UUID.class),
                rows.getString("kind"),
                row(rows, "old"),
                row(rows, "new")));
      }
    }
    return changes;
  }

  private static @Nullable Row row(ResultSet rows, String which) throws SQLException {
    String status = rows.getString(which + "_status");
    if (status == null) return null;
    return new Row(
        status,
        rows.getObject(which + "_lease", UUID.class),
        rows.getObject(which + "_worker", UUID.class),
        rows.getInt(which + "_attempt"),
        rows.getInt(which + "_losses"));
  }

  private static List<Life> lives(Connection connection) throws SQLException {
    List<Life> lives = new ArrayList<>();
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery("select * from chaos.life order by seq")) {
      while (rows.next()) {
        lives.add(
            new Life(
                rows.getLong("seq"),
                rows.getString("actor"),
                rows.getString("op"),
                rows.getObject("worker", UUID.class),
                rows.getString("status"),
                rows.getLong("beat"),
                rows.getDouble("lease_left")));
      }
    }
    return lives;
  }

  private static List<Effect> effects(Connection connection) throws SQLException {
    List<Effect> effects = new ArrayList<>();
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery("select * from chaos.effect")) {
      while (rows.next()) {
        effects.add(
            new Effect(
                rows.getObject("task", UUID.class),
                rows.getInt("attempt"),
                rows.getObject("child", UUID.class),
                rows.getString("actor")));
      }
    }
    return effects;
  }
}
