package dev.dibs.chaos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A primary and, where asked for, a standby that streams from it. Used by one thread at a time, but
 * for {@link #primary}.
 */
final class Cluster implements AutoCloseable {
  /** What happens to what was acknowledged when the primary is lost. */
  enum Standby {
    NONE,
    /** It may be lost: the standby lags. */
    LAGS,
    /** Nothing is lost: a commit is acknowledged when the standby has applied it. */
    APPLIES
  }

  /**
   * What a failover may have lost.
   *
   * @param from what was acknowledged before is safe
   * @param to when the standby had taken over
   */
  record LostSuffix(long from, long to) {
    /** So long a stopped process or a network that swallows may hold back what the old one said. */
    private static final Duration LATE = Duration.ofSeconds(15);

    boolean contains(long at) {
      return from <= at && at <= to + LATE.toNanos();
    }
  }

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String SYNCHRONOUS =
      "synchronous_standby_names = '*'\nsynchronous_commit = remote_apply\n";

  private static @Nullable PostgresBinaries binaries;
  private static @Nullable Path template;

  private final Path directory;
  private final Standby kind;
  private final List<LostSuffix> lost = new ArrayList<>();
  private volatile PostgresServer primary;
  private @Nullable PostgresServer standby;
  private @Nullable FaultyProxy replication;
  private int servers;

  private Cluster(Path directory, Standby kind) throws IOException {
    this.directory = directory;
    this.kind = kind;
    Path data = nextData();
    DataDirectory.copy(template(), data);
    this.primary = new PostgresServer(binaries(), data);
  }

  /** Starts a migrated, audited cluster below {@code directory}. */
  static Cluster start(Path directory, Standby kind) throws IOException, SQLException {
    var cluster = new Cluster(directory, kind);
    cluster.primary.start();
    cluster.attachStandby();
    return cluster;
  }

  private static synchronized PostgresBinaries binaries() {
    if (binaries == null) throw new IllegalStateException("template() comes first");
    return binaries;
  }

  private static synchronized Path template() throws IOException {
    if (template != null) return template;
    Path parent = Files.createTempDirectory("dibs-chaos");
    Path data = parent.resolve("template");
    try {
      binaries = PostgresBinaries.unpacked();
      DataDirectory.create(binaries, data);
    } catch (SQLException e) {
      throw new IOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
    Runtime.getRuntime().addShutdownHook(new Thread(() -> Directories.delete(parent)));
    template = data;
    return data;
  }

  private Path nextData() {
    return directory.resolve("server-" + ++servers);
  }

  PostgresServer primary() {
    return primary;
  }

  List<LostSuffix> lost() {
    return List.copyOf(lost);
  }

  boolean mayFailOver() {
    return kind != Standby.NONE;
  }

  /** Gives the primary a standby that has caught up, if there is to be one. */
  private void attachStandby() throws IOException, SQLException {
    if (kind == Standby.NONE) return;
    int source = primary.port();
    var proxy = new FaultyProxy(() -> source);
    replication = proxy;
    Path data = nextData();
    DataDirectory.copyForStandby(primary, data, proxy.port());
    var follower = new PostgresServer(binaries(), data);
    follower.start();
    standby = follower;
    awaitCaughtUp();
    if (kind == Standby.APPLIES) {
      primary.play(SYNCHRONOUS);
      Await.until(
          "a synchronous standby",
          PATIENCE,
          () -> primary.value("select sync_state from pg_stat_replication").equals("sync"));
      awaitCaughtUp(); // what was committed meanwhile was not yet waited for
    }
  }

  private void awaitCaughtUp() throws SQLException {
    String now = primary.value("select pg_current_wal_lsn()");
    Await.until(
        "a standby that has caught up",
        PATIENCE,
        () ->
            primary
                .value(
                    "select coalesce(bool_or(replay_lsn >= '%s'), false) from pg_stat_replication"
                        .formatted(now))
                .equals("t"));
  }

  /** Crashes the primary and starts it again after {@code down}. */
  void crash(Duration down) {
    primary.crash();
    Await.pass(down);
    primary.start();
  }

  /** The standby receives nothing from here on, where it may lag. */
  long beginLag() throws SQLException {
    if (replication == null) throw new IllegalStateException("no standby");
    long from = System.nanoTime();
    if (kind == Standby.LAGS) {
      awaitCaughtUp();
      replication.refuse();
    }
    return from;
  }

  /**
   * Crashes the primary for good and promotes the standby; what the primary acknowledged after
   * {@link #beginLag} is lost where the standby lags.
   */
  void promote(long lagSince) throws SQLException {
    PostgresServer next = standby;
    if (next == null || replication == null) throw new IllegalStateException("no standby");
    PostgresServer old = primary;
    old.crash();
    replication.close();
    replication = null;
    standby = null;
    next.play("");
    next.execute("select pg_promote(true, 60)");
    Await.until(
        "a promoted standby", PATIENCE, () -> next.value("select pg_is_in_recovery()").equals("f"));
    primary = next;
    if (kind == Standby.LAGS) lost.add(new LostSuffix(lagSince, System.nanoTime()));
    old.close();
  }

  /** Gives the new primary a standby of its own. */
  void repair() throws IOException, SQLException {
    attachStandby();
  }

  @Override
  public void close() {
    if (standby != null) standby.close();
    if (replication != null) replication.close();
    primary.close();
  }
}
