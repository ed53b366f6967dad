package dev.dibs.worker;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.sql.WorkerRows.Sign;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class SilenceWatchTest {
  private final SilenceWatch watch = new SilenceWatch(ofSeconds(1));
  private final UUID worker = UUID.randomUUID();

  private Sign sign(long beat, boolean expired) {
    return new Sign(worker, "host", beat, expired, false);
  }

  private static void letPass(long millis) {
    long from = System.nanoTime();
    await().until(() -> System.nanoTime() - from > ofMillis(millis).toNanos());
  }

  @Test
  void aWorkerIsSuspect_onlyWhenSilentForHalfALeaseBeforeOurEyes() {
    long since = System.nanoTime();
    assertThat(watch.suspects(List.of(sign(1, true)))).isEmpty();
    await()
        .pollInterval(ofMillis(50))
        .until(() -> !watch.suspects(List.of(sign(1, true))).isEmpty());
    assertThat(System.nanoTime() - since).isGreaterThan(ofMillis(400).toNanos());
  }

  @Test
  void aBeatOrALeaseThatHolds_makesItLive() {
    long until = System.nanoTime() + ofMillis(900).toNanos();
    long beat = 0;
    while (System.nanoTime() < until) {
      assertThat(watch.suspects(List.of(sign(beat++, true)))).isEmpty();
      letPass(20);
    }
    until = System.nanoTime() + ofMillis(900).toNanos();
    while (System.nanoTime() < until) {
      assertThat(watch.suspects(List.of(sign(7, false)))).isEmpty();
      letPass(20);
    }
  }

  @Test
  void aStallThatHeldUpEverybody_makesNobodyLookDead() {
    assertThat(watch.suspects(List.of(sign(1, true)))).isEmpty();
    letPass(600);
    assertThat(watch.suspects(List.of(sign(1, true)))).isEmpty();
  }

  @Test
  void anOutage_startsTheWatchAnew() {
    assertThat(watch.suspects(List.of(sign(1, true)))).isEmpty();
    letPass(300);
    watch.startOver();
    letPass(300);
    assertThat(watch.suspects(List.of(sign(1, true)))).isEmpty();
  }

  @Test
  void theDead_areSuspectAtOnce() {
    var dead = new Sign(worker, "host", 1, false, true);
    assertThat(watch.suspects(List.of(dead))).containsExactly(dead);
  }
}
