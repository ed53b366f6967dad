package dev.dibs.app;

import dev.dibs.sql.OldestSnapshot.Holder;
import dev.dibs.sql.OldestSnapshot.Look;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gauges {@code dibs.database.snapshot.age} and {@code dibs.database.dead.rows}, and the line
 * in the log that names who holds an old snapshot: one when it is old enough to be worth saying,
 * one when it is gone.
 *
 * <p>A transaction may be old and its snapshot young, where it takes a new one with every
 * statement. So a snapshot counts as old only if the look before found the same; one that is new is
 * at most as old as that look. Written by one thread, read by any.
 */
final class SnapshotWatch {
  private static final Logger LOG = LoggerFactory.getLogger(SnapshotWatch.class);

  private final Duration worthSaying;
  private volatile double ageSeconds = Double.NaN;
  private volatile double deadRows = Double.NaN;
  private @Nullable Holder before;
  private boolean looked;
  private long lookedAt;
  private long heldSince;
  private long said = -1;

  /**
   * A watch that has seen nothing.
   *
   * @param worthSaying a snapshot that old is named in the log
   */
  SnapshotWatch(MeterRegistry registry, Duration worthSaying) {
    this.worthSaying = worthSaying;
    Gauge.builder("dibs.database.snapshot.age", () -> ageSeconds)
        .description("how long the oldest snapshot has been held that keeps dead rows alive")
        .baseUnit("seconds")
        .strongReference(true)
        .register(registry);
    Gauge.builder("dibs.database.dead.rows", () -> deadRows)
        .description("dead rows of the live table")
        .strongReference(true)
        .register(registry);
  }

  /** A look at the database, made at the monotonic time {@code now}. */
  void saw(Look look, long now) {
    deadRows = look.deadRows();
    @Nullable Holder holder = look.holder().orElse(null);
    boolean same = before != null && holder != null && before.xid() == holder.xid();
    if (!same) heldSince = now;
    Duration age = holder == null ? Duration.ZERO : age(holder, same, now);
    ageSeconds = age.toMillis() / 1e3;
    before = holder;
    looked = true;
    lookedAt = now;
    tell(holder, same, age);
  }

  private Duration age(Holder holder, boolean same, long now) {
    Duration seen = Duration.ofNanos(now - heldSince);
    if (holder.age().isEmpty()) return seen;
    Duration shown = holder.age().get();
    if (same || !looked) return shown;
    Duration sinceLook = Duration.ofNanos(now - lookedAt);
    return shown.compareTo(sinceLook) < 0 ? shown : sinceLook;
  }

  private void tell(@Nullable Holder holder, boolean same, Duration age) {
    if (holder != null && same && age.compareTo(worthSaying) >= 0) {
      if (said != holder.xid())
        LOG.warn(
            "{} has held a snapshot for {}{} s: dead tasks, {} now, cannot be removed until its transaction ends{}",
            holder.who(),
            holder.age().isEmpty() ? "at least " : "",
            age.toSeconds(),
            (long) deadRows,
            holder.age().isEmpty()
                ? "; grant pg_read_all_stats to this role to see since when, and what it does"
                : "");
      said = holder.xid();
    } else if (said >= 0 && !same) {
      LOG.info("no old snapshot keeps dead tasks any more");
      said = -1;
    }
  }

  /** The database could not be asked: what was seen before may be no more. */
  void sawNothing() {
    ageSeconds = Double.NaN;
    deadRows = Double.NaN;
  }
}
