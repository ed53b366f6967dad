package dev.dibs.sql;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Map;
import java.util.stream.Collectors;

/** Reads what the server says of itself; no table of ours, and nothing that needs a right. */
public final class CheckServer {
  /**
   * How the server is.
   *
   * @param version as a number, such as 180006
   * @param recovering whether it is a standby
   * @param settings as they hold for this session, by name
   */
  public record Server(int version, boolean recovering, Map<String, String> settings) {
    public boolean isOff(String setting) {
      return "off".equals(settings.get(setting));
    }
  }

  /** How many connections there are, and may be. */
  public record Connections(long used, long most) {}

  /**
   * How far the database is from where it must stop to give out transaction ids.
   *
   * @param database the one that is farthest gone
   */
  public record Ids(String database, long age, long multixactAge) {}

  /** As sessions have them who do not say otherwise: ours may. */
  private static final String SETTINGS =
      """
      select name, reset_val from pg_settings where name = any ('{server_version_num,fsync,full_page_writes,
        synchronous_commit,autovacuum,track_counts,default_transaction_read_only}')\
      """;

  private static final String CONNECTIONS =
      """
      select (select sum(numbackends) from pg_stat_database)::bigint, current_setting('max_connections')::bigint
        - current_setting('superuser_reserved_connections')::bigint\
      """;

  private static final String IDS =
      "select datname, age(datfrozenxid)::bigint, mxid_age(datminmxid)::bigint from pg_database order by 2 desc limit 1";

  private CheckServer() {}

  /** What time it is there. */
  public static Instant clock(Connection connection) throws SQLException {
    return Rows.one(
        connection,
        "select clock_timestamp()",
        row -> row.getObject(1, OffsetDateTime.class).toInstant());
  }

  public static Server server(Connection connection) throws SQLException {
    Map<String, String> settings =
        Rows.list(connection, SETTINGS, row -> Map.entry(Rows.text(row, 1), Rows.text(row, 2)))
            .stream()
            .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    boolean recovering =
        Rows.one(connection, "select pg_is_in_recovery()", row -> row.getBoolean(1));
    int version = Integer.parseInt(settings.getOrDefault("server_version_num", "0"));
    return new Server(version, recovering, settings);
  }

  public static Connections connections(Connection connection) throws SQLException {
    return Rows.one(
        connection, CONNECTIONS, row -> new Connections(row.getLong(1), row.getLong(2)));
  }

  public static Ids ids(Connection connection) throws SQLException {
    return Rows.one(
        connection, IDS, row -> new Ids(Rows.text(row, 1), row.getLong(2), row.getLong(3)));
  }
}
