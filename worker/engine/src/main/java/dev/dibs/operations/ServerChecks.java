package dev.dibs.operations;

import dev.dibs.DatabaseException;
import dev.dibs.SchemaVersionException;
import dev.dibs.operations.Doctor.Thresholds;
import dev.dibs.sql.CheckGrants;
import dev.dibs.sql.CheckGrants.Role;
import dev.dibs.sql.CheckServer;
import dev.dibs.sql.Migrations;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Whether the server and the schema are such as the promises need. Immutable. */
final class ServerChecks {
  private static final int OLDEST_SERVER = 15;
  private static final int NEWEST_SERVER = 18;

  private final Schema schema;
  private final Thresholds thresholds;
  private final CheckGrants grants;

  ServerChecks(Schema schema, Thresholds thresholds) {
    this.schema = schema;
    this.thresholds = thresholds;
    this.grants = new CheckGrants(schema);
  }

  /** Whether there is a schema to check; where that cannot be told, checks say so themselves. */
  static boolean isThere(Schema schema, Connection connection, Duration atMost) {
    try {
      ShortLook.take(connection, atMost, c -> Migrations.version(c, schema));
      return true;
    } catch (SchemaVersionException e) {
      return false;
    } catch (SQLException | DatabaseException e) {
      return true;
    }
  }

  Check ofVersion() {
    return new Check("schema-version", "the version of the schema", "", this::schemaVersion);
  }

  /** Needs the schema. */
  Check ofGrants() {
    return new Check("grants", "what this role may do", "", this::grants);
  }

  /** What holds for the server whether or not there is a schema. */
  List<Check> ofServer() {
    return List.of(
        new Check("server-version", "the version of the server", "", this::serverVersion),
        new Check("writable", "whether the server takes writes", "", this::writable),
        new Check("durability", "the settings that promises rest on", "", this::durability),
        new Check("connections", "how many connections are left", "", this::connections),
        new Check("transaction-ids", "how old transaction ids are", "", this::transactionIds),
        new Check("clock", "this machine's clock", "", this::clock));
  }

  private Finding schemaVersion(Connection connection, String name) {
    try {
      int found = Migrations.version(connection, schema);
      Migrations.check(connection, schema);
      String sentence = "schema \"%s\" is at version %d".formatted(schema.name(), found);
      return found == Migrations.VERSION
          ? Finding.ok(name, sentence)
          : Finding.note(
              name,
              sentence + " and serves this build of version " + Migrations.VERSION,
              List.of(),
              "replace this build when you can");
    } catch (SchemaVersionException e) {
      String message = String.valueOf(e.getMessage());
      int cure = message.lastIndexOf("; ");
      return Finding.attention(
          name, message.substring(0, cure), List.of(), message.substring(cure + 2));
    }
  }

  private Finding grants(Connection connection, String name) throws SQLException {
    String complete = "";
    for (Role role : Role.values()) {
      CheckGrants.Standing standing = grants.standing(connection, role);
      String called = schema.name() + "_" + role.suffix();
      if (standing.member() && !standing.lacking().isEmpty())
        return Finding.attention(
            name,
            "%s is a member of %s and lacks %d of its rights"
                .formatted(standing.user(), called, standing.lacking().size()),
            first(standing.lacking()),
            "`dibs migrate --roles`, which is needed after every migration");
      if (complete.isEmpty() && standing.lacking().isEmpty())
        complete = "%s may do what a %s does".formatted(standing.user(), role.suffix());
    }
    if (!complete.isEmpty()) return Finding.ok(name, complete);
    CheckGrants.Standing looks = grants.standing(connection, Role.VIEWER);
    return Finding.attention(
        name,
        "%s may not even look".formatted(looks.user()),
        first(looks.lacking()),
        "grant %s_viewer to \"%s\"; or %s_worker, if it is to work"
            .formatted(schema.name(), looks.user(), schema.name()));
  }

  private static List<String> first(List<String> lacking) {
    return lacking.subList(0, Math.min(lacking.size(), 10));
  }

  private Finding serverVersion(Connection connection, String name) throws SQLException {
    return serverVersion(name, CheckServer.server(connection).version());
  }

  static Finding serverVersion(String name, int version) {
    int major = version / 10_000;
    String sentence = "PostgreSQL %d.%d".formatted(major, version % 10_000);
    String tested = "Dibs is tested on %d to %d".formatted(OLDEST_SERVER, NEWEST_SERVER);
    if (major < OLDEST_SERVER)
      return Finding.attention(
          name, sentence + " is too old; " + tested, List.of(), "upgrade the server");
    if (major > NEWEST_SERVER)
      return Finding.note(
          name,
          sentence + " is newer than this build",
          List.of(),
          tested + ": see for a newer one");
    return Finding.ok(name, sentence);
  }

  private Finding writable(Connection connection, String name) throws SQLException {
    CheckServer.Server server = CheckServer.server(connection);
    if (server.recovering())
      return Finding.attention(
          name,
          "this server is a standby: no task can be put in or taken out here",
          List.of(),
          "give the primary's address; list all of them with targetServerType=primary");
    if ("on".equals(server.settings().get("default_transaction_read_only")))
      return Finding.attention(
          name,
          "transactions are read-only by default: no task can be put in or taken out",
          List.of("default_transaction_read_only = on"),
          "find out who set it and why (alter role, alter database, a full disk), then reset it");
    return Finding.ok(name, "the server takes writes");
  }

  private Finding durability(Connection connection, String name) throws SQLException {
    CheckServer.Server server = CheckServer.server(connection);
    List<String> off = new ArrayList<>();
    for (String setting : List.of("fsync", "full_page_writes", "synchronous_commit"))
      if (server.isOff(setting)) off.add(setting + " = off");
    return off.isEmpty()
        ? Finding.ok(name, "commits outlive a crash of the server")
        : Finding.attention(
            name,
            "a crash of the server loses tasks that it has acknowledged: " + String.join(", ", off),
            List.of(),
            "alter system reset …; select pg_reload_conf(); see also alter role and alter database");
  }

  private Finding connections(Connection connection, String name) throws SQLException {
    CheckServer.Connections connections = CheckServer.connections(connection);
    String sentence = "%d of %d connections".formatted(connections.used(), connections.most());
    return connections.used() * 100 < connections.most() * thresholds.connections()
        ? Finding.ok(name, sentence)
        : Finding.attention(
            name,
            sentence + " are taken: workers that start or reconnect may be refused",
            List.of(),
            "raise max_connections, or make pools smaller; a worker needs five");
  }

  private Finding transactionIds(Connection connection, String name) throws SQLException {
    CheckServer.Ids ids = CheckServer.ids(connection);
    long oldest = Math.max(ids.age(), ids.multixactAge());
    String sentence =
        "the oldest rows of database %s are %,d transactions old".formatted(ids.database(), oldest);
    return oldest < thresholds.transactionAge()
        ? Finding.ok(name, sentence)
        : Finding.attention(
            name,
            sentence + "; at two billion the server takes no more writes",
            List.of(),
            "vacuum freeze in that database, and see what holds old snapshots");
  }

  private Finding clock(Connection connection, String name) throws SQLException {
    Instant before = Instant.now();
    Instant there = CheckServer.clock(connection);
    Instant after = Instant.now();
    Duration ahead = Duration.between(after, there);
    Duration behind = Duration.between(there, before);
    Duration skew = ahead.compareTo(behind) > 0 ? ahead : behind;
    return skew.compareTo(thresholds.clockSkew()) < 0
        ? Finding.ok(name, "this machine and the database agree what time it is")
        : Finding.note(
            name,
            "the database's clock is %s %s this machine's"
                .formatted(Spans.show(skew), ahead.isPositive() ? "ahead of" : "behind"),
            List.of(),
            "synchronise clocks (NTP); what Dibs decides goes by the database's alone");
  }
}
