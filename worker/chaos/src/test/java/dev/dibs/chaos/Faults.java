package dev.dibs.chaos;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Lets faults loose on a stage, one after the other and some over each other, as a seed wants it.
 * Used by one thread.
 */
final class Faults implements AutoCloseable {
  private static final Duration PAUSE = Duration.ofMillis(1_500);
  private static final Duration HEALED = Duration.ofSeconds(90);
  private static final int LEAST_KINDS = 4;

  private final Stage stage;
  private final Random random;
  private final List<Fault> kinds;
  private final ScheduledExecutorService later =
      Executors.newScheduledThreadPool(4, Thread.ofPlatform().daemon().name("later-", 0).factory());
  private final List<Future<?>> pending = new ArrayList<>();
  private boolean failedOver;

  Faults(Stage stage, Random random) {
    this.stage = stage;
    this.random = random;
    this.kinds = draw(random);
  }

  /** Each run has faults of some kinds only: what hides behind the others comes out then. */
  private static List<Fault> draw(Random random) {
    Set<Fault> drawn = EnumSet.noneOf(Fault.class);
    List<Fault> all = Arrays.stream(Fault.values()).filter(f -> f != Fault.FAIL_OVER).toList();
    while (drawn.size() < LEAST_KINDS) drawn.add(all.get(random.nextInt(all.size())));
    for (Fault fault : all) if (random.nextInt(10) < 6) drawn.add(fault);
    return List.copyOf(drawn);
  }

  /** Rages for about so long. A failover, where there is a standby, comes halfway. */
  void rage(Duration time) throws SQLException, IOException {
    long start = System.nanoTime();
    long passed = 0;
    while (passed < time.toNanos()) {
      Await.pass(Duration.ofNanos(PAUSE.toNanos() / 4 + random.nextLong(PAUSE.toNanos())));
      boolean half = passed > time.toNanos() / 2;
      if (half && !failedOver && stage.cluster().mayFailOver()) failOver();
      else inject(kinds.get(random.nextInt(kinds.size())));
      passed = System.nanoTime() - start;
    }
  }

  private void inject(Fault fault) throws SQLException {
    switch (fault) {
      case KILL_WORKER -> kill(fault, any(stage.workers()));
      case KILL_PRODUCER -> kill(fault, any(stage.producers()));
      case FREEZE_WORKER -> freeze(any(stage.workers()));
      case CRASH_SERVER -> crash(millis(200, 3_000));
      case TERMINATE -> terminate();
      case DELAY -> delay();
      case SWALLOW -> swallow(any(stage.members().toList()));
      case RESET -> reset(any(stage.members().toList()));
      case CUT_REPLIES -> cutReplies(any(stage.members().toList()));
      case LOCK -> lock(millis(500, random.nextInt(4) == 0 ? 10_000 : 3_000));
      case FAIL_OVER -> throw new IllegalArgumentException("comes once, by itself");
    }
  }

  private Member any(List<Member> members) {
    return members.get(random.nextInt(members.size()));
  }

  private Duration millis(int least, int most) {
    return Duration.ofMillis(least + random.nextInt(most - least + 1));
  }

  private void after(Duration time, Runnable cure) {
    pending.add(later.schedule(cure, time.toNanos(), TimeUnit.NANOSECONDS));
  }

  private void kill(Fault fault, Member member) {
    @Nullable String killed = member.kill();
    Duration down = millis(200, 3_000);
    if (killed == null) return;
    stage.journal().did(fault, killed);
    stage.journal().killed(killed);
    after(down, member::start);
  }

  private void freeze(Member member) {
    Duration time = stage.setting().workload().lease().plus(millis(300, 2_500));
    if (!member.isAlive()) return;
    stage.journal().did(Fault.FREEZE_WORKER, member.processName() + " for " + time);
    member.freeze();
    after(time, member::thaw);
  }

  private void crash(Duration down) {
    stage.journal().did(Fault.CRASH_SERVER, "for " + down);
    long from = System.nanoTime();
    stage.cluster().crash(down);
    stage.journal().serverIsBack(from);
  }

  private void terminate() throws SQLException {
    int storms = 1 + random.nextInt(5);
    String share = random.nextBoolean() ? "1" : "0.3";
    stage.journal().did(Fault.TERMINATE, storms + " times, share " + share);
    for (int i = 0; i < storms; i++) {
      stage
          .cluster()
          .primary()
          .execute(
              """
              select pg_terminate_backend(pid) from pg_stat_activity
              where backend_type = 'client backend' and application_name <> 'judge' and random() < %s
              """
                  .formatted(share));
      Await.pass(Duration.ofMillis(200));
    }
  }

  private void delay() {
    Duration each = millis(5, 150);
    Duration time = millis(1_000, 5_000);
    stage.journal().did(Fault.DELAY, each + " for " + time);
    List<Member> slowed = stage.members().filter(member -> random.nextInt(3) > 0).toList();
    slowed.forEach(member -> member.proxy().delay(each));
    after(time, () -> slowed.forEach(member -> member.proxy().heal()));
  }

  private void swallow(Member member) {
    Duration time = millis(500, 8_000);
    boolean delivered = random.nextBoolean();
    stage
        .journal()
        .did(
            Fault.SWALLOW,
            member.processName() + " for " + time + (delivered ? "" : ", then reset"));
    member.proxy().swallow();
    after(
        time,
        () -> {
          if (!delivered) member.proxy().reset();
          member.proxy().heal();
        });
  }

  private void reset(Member member) {
    stage.journal().did(Fault.RESET, member.processName());
    member.proxy().reset();
  }

  private void cutReplies(Member member) {
    int replies = 1 + random.nextInt(8);
    stage.journal().did(Fault.CUT_REPLIES, member.processName() + ", " + replies);
    member.proxy().cutReplies(replies, random.nextBoolean() ? "" : Work.PAYLOAD);
  }

  private void lock(Duration time) {
    stage.journal().did(Fault.LOCK, "for " + time);
    pending.add(
        later.submit(() -> {
          try (Connection connection = stage.cluster().primary().connect()) {
            connection.setAutoCommit(false);
            try (var statement = connection.createStatement()) {
              statement.execute("set local lock_timeout = '5s'");
              statement.execute("lock table dibs.task in access exclusive mode");
              Await.pass(time);
            }
            connection.rollback();
          }
          return true;
        }));
  }

  private void failOver() throws SQLException, IOException {
    failedOver = true;
    long lagSince = stage.cluster().beginLag();
    Duration lag = millis(300, 2_000);
    Await.pass(lag);
    stage.journal().did(Fault.FAIL_OVER, "after a lag of " + lag);
    long from = System.nanoTime();
    stage.cluster().promote(lagSince);
    stage.journal().serverIsBack(from);
    stage.cluster().repair();
  }

  /** Undoes all that is not over yet; everybody is alive and connected then. */
  void heal() {
    for (Future<?> cure : pending) await(cure);
    stage
        .members()
        .forEach(member -> {
          member.thaw();
          member.proxy().heal();
          member.start();
        });
  }

  private static void await(Future<?> cure) {
    try {
      cure.get(HEALED.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SQLException) return; // another fault took the connection
      throw new IllegalStateException(e);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    later.shutdownNow();
  }
}
