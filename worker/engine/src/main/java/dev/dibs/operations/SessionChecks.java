package dev.dibs.operations;

import dev.dibs.operations.Doctor.Thresholds;
import dev.dibs.sql.CheckServer;
import dev.dibs.sql.CheckSessions;
import dev.dibs.sql.CheckTables;
import dev.dibs.sql.OldestSnapshot;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Whether dead rows can be removed, and standbys keep up. Immutable. */
final class SessionChecks {
  /** An active slot may lag by so many transactions: a standby that reads for a while. */
  private static final long SLOT_MAY_LAG = 10_000_000;

  private final Schema schema;
  private final Thresholds thresholds;
  private final CheckTables tables;

  SessionChecks(Schema schema, Thresholds thresholds) {
    this.schema = schema;
    this.thresholds = thresholds;
    this.tables = new CheckTables(schema);
  }

  /** What holds for the server whether or not there is a schema. */
  List<Check> ofServer() {
    return List.of(
        new Check("held-snapshot", "who holds old snapshots", Check.STATISTICS, this::snapshot),
        new Check(
            "idle-in-transaction",
            "who idles in a transaction",
            Check.STATISTICS,
            this::idleInTransaction),
        new Check("prepared-transactions", "prepared transactions", "", this::prepared),
        new Check("replication-slots", "replication slots", "", this::slots),
        new Check("replication", "how far standbys are behind", Check.STATISTICS, this::standbys));
  }

  /** Needs the schema. */
  List<Check> ofLiveTable() {
    String grant = "grant %s_viewer to this role".formatted(schema.name());
    return List.of(
        new Check("autovacuum", "how the live table is vacuumed", grant, this::autovacuum),
        new Check("dead-rows", "dead rows of the live table", grant, this::deadRows));
  }

  private Finding snapshot(Connection connection, String name) throws SQLException {
    Optional<OldestSnapshot.Holder> holder = new OldestSnapshot(schema).look(connection).holder();
    if (holder.isEmpty()) return Finding.ok(name, "nobody holds a snapshot");
    String who = holder.get().who();
    if (who.startsWith("replication slot"))
      return Finding.ok(name, "the oldest is held by " + who + ", see replication-slots");
    Optional<Duration> age = holder.get().age();
    if (age.isEmpty())
      return Finding.unknown(
          name,
          "could not check since when %s holds its snapshot: this role may not".formatted(who),
          Check.STATISTICS);
    String since = "%s has held a snapshot for %s".formatted(who, Spans.show(age.get()));
    return age.get().compareTo(thresholds.heldSnapshot()) < 0
        ? Finding.ok(name, since)
        : Finding.attention(
            name,
            since + ": dead tasks cannot be removed, and claims become slow",
            List.of(),
            who.startsWith("process ")
                ? "end its transaction; if need be: select pg_terminate_backend(%s)"
                    .formatted(who.split(" ", -1)[1])
                : "commit or roll back what was prepared");
  }

  private Finding idleInTransaction(Connection connection, String name) throws SQLException {
    CheckSessions.Idlers looked = CheckSessions.idlers(connection);
    List<String> idlers = longer(looked.idlers(), thresholds.idleInTransaction());
    if (!idlers.isEmpty())
      return Finding.attention(
          name,
          "%d sessions idle in a transaction, %s".formatted(idlers.size(), idlers.getFirst()),
          idlers,
          "have their program commit, or set idle_in_transaction_session_timeout");
    if (looked.hidden() > 0)
      return Finding.unknown(
          name,
          "could not check whether %d sessions idle in a transaction: this role may not"
              .formatted(looked.hidden()),
          Check.STATISTICS);
    return Finding.ok(name, "no session idles in a transaction");
  }

  private static List<String> longer(List<CheckSessions.Idle> all, Duration than) {
    return all.stream()
        .filter(idle -> idle.age().compareTo(than) >= 0)
        .map(idle -> idle.who() + " for " + Spans.show(idle.age()))
        .toList();
  }

  private Finding prepared(Connection connection, String name) throws SQLException {
    List<String> old = longer(CheckSessions.prepared(connection), thresholds.heldSnapshot());
    return old.isEmpty()
        ? Finding.ok(name, "no prepared transaction is old")
        : Finding.attention(
            name,
            "%d prepared transactions were never ended, %s".formatted(old.size(), old.getFirst()),
            old,
            "commit prepared '…' or rollback prepared '…', as the coordinator that made them knows");
  }

  private Finding slots(Connection connection, String name) throws SQLException {
    List<String> holding = new ArrayList<>();
    List<String> idle = new ArrayList<>();
    for (CheckSessions.Slot slot : CheckSessions.slots(connection)) {
      long xmin = slot.xmin().orElse(-1L);
      String line =
          "%s%s, %d MiB of WAL"
              .formatted(slot.name(), slot.active() ? "" : ", not in use", slot.bytes() >> 20);
      if (xmin >= 0 && (!slot.active() || xmin > SLOT_MAY_LAG))
        holding.add(line + ", holds rows of %,d transactions".formatted(xmin));
      else if (!slot.active()) idle.add(line);
    }
    String cure = "bring its consumer back, or: select pg_drop_replication_slot('…')";
    if (!holding.isEmpty())
      return Finding.attention(
          name,
          "a replication slot keeps dead tasks from being removed: " + holding.getFirst(),
          holding,
          cure);
    if (!idle.isEmpty())
      return Finding.note(
          name, "a replication slot keeps WAL for nobody: " + idle.getFirst(), idle, cure);
    return Finding.ok(name, "no replication slot holds anything up");
  }

  private Finding standbys(Connection connection, String name) throws SQLException {
    if (CheckServer.server(connection).recovering()) {
      Optional<Duration> behind = CheckSessions.behind(connection);
      return behind.isPresent() && behind.get().compareTo(thresholds.replicationLag()) >= 0
          ? late(name, List.of("this standby, " + Spans.show(behind.get())))
          : Finding.ok(name, "this standby keeps up");
    }
    List<CheckSessions.Standby> standbys = CheckSessions.standbys(connection);
    String waitedFor = CheckSessions.synchronousStandbys(connection);
    boolean hidden = standbys.stream().anyMatch(standby -> standby.syncState().isEmpty());
    if (hidden)
      return Finding.unknown(
          name,
          "could not check how %d standbys keep up: this role may not".formatted(standbys.size()),
          Check.STATISTICS);
    if (!waitedFor.isEmpty()
        && standbys.stream().noneMatch(standby -> standby.syncState().matches("sync|quorum")))
      return Finding.attention(
          name,
          "commits wait for a standby, and none is there: synchronous_standby_names = " + waitedFor,
          List.of(),
          "bring the standby back, or take it out of synchronous_standby_names");
    List<String> late =
        standbys.stream()
            .filter(s -> s.lag().orElse(Duration.ZERO).compareTo(thresholds.replicationLag()) >= 0)
            .map(s -> s.name() + ", " + Spans.show(s.lag().orElse(Duration.ZERO)))
            .limit(10)
            .toList();
    return late.isEmpty()
        ? Finding.ok(name, standbys.size() + " standbys, none is late")
        : late(name, late);
  }

  private static Finding late(String name, List<String> late) {
    return Finding.attention(
        name,
        "a standby is behind: " + late.getFirst(),
        late,
        "see what slows it down: its disk, its network, long queries on it");
  }

  private Finding autovacuum(Connection connection, String name) throws SQLException {
    CheckServer.Server server = CheckServer.server(connection);
    List<String> options = tables.live(connection).options();
    List<String> off = new ArrayList<>();
    for (String setting : List.of("autovacuum", "track_counts"))
      if (server.isOff(setting)) off.add(setting + " = off");
    options.stream()
        .filter(o -> o.matches("autovacuum_enabled=(off|false|no|0)"))
        .forEach(off::add);
    if (!off.isEmpty())
      return Finding.attention(
          name,
          "the live table is not vacuumed by the server: " + String.join(", ", off),
          List.of(),
          "alter table \"%s\".task reset (autovacuum_enabled); alter system reset autovacuum"
              .formatted(schema.name()));
    return options.contains("autovacuum_vacuum_scale_factor=0.0")
        ? Finding.ok(name, "the live table is vacuumed after every few thousand dead rows")
        : Finding.note(
            name,
            "the live table is vacuumed by the server's defaults, too seldom for a queue",
            options,
            "set its storage options again as the migration V001 does");
  }

  private Finding deadRows(Connection connection, String name) throws SQLException {
    CheckTables.Live live = tables.live(connection);
    String sentence = "the live table has %,d dead rows".formatted(live.deadRows());
    return live.deadRows() < thresholds.deadRows()
        ? Finding.ok(name, sentence)
        : Finding.attention(
            name,
            sentence,
            List.of(
                live.vacuumed().map(at -> "last vacuumed at " + at).orElse("never vacuumed yet")),
            "see held-snapshot and autovacuum; then: vacuum \"%s\".task".formatted(schema.name()));
  }
}
