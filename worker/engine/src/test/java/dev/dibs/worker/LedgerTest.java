package dev.dibs.worker;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.Outcome;
import dev.dibs.Priority;
import dev.dibs.Task;
import dev.dibs.sql.Exchange;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LedgerTest {
  private static final Duration RUN = ofSeconds(1);

  private final Membership membership = new Membership(ofMinutes(5));
  private final Ledger ledger;

  LedgerTest() {
    membership.renewed(UUID.randomUUID(), System.nanoTime());
    ledger = new Ledger(Map.of("q", 8), Set.of("mail"), membership, ofSeconds(50), 3);
  }

  private static Task task(String queue) {
    return new Task(
        new Task.Hold(UUID.randomUUID(), UUID.randomUUID()),
        new Task.Lane(queue, Priority.NORMAL),
        "mail",
        new Task.Tries(1, 0, 0, 25),
        new Task.Content("{}", ""),
        new Task.Timing(Duration.ZERO, Optional.empty()));
  }

  private static Exchange.Result claimed(Task... tasks) {
    return new Exchange.Result(List.of(tasks), Map.of(), Set.of());
  }

  private static Trip await(Ledger ledger) throws InterruptedException {
    return Objects.requireNonNull(ledger.awaitTrip());
  }

  /** Makes trips that find nothing, until one is to sweep. */
  private static Trip awaitSweep(Ledger ledger, String rung) throws InterruptedException {
    Trip trip = await(ledger);
    while (!trip.sweep()) {
      ledger.returned(trip, claimed());
      ledger.ring(rung);
      trip = await(ledger);
    }
    return trip;
  }

  private void makeThePollLong() throws InterruptedException {
    for (int i = 0; i < 16; i++) {
      ledger.ring("q");
      ledger.returned(await(ledger), claimed());
    }
  }

  @Test
  void aBellDuringAClaim_isHeardThoughOutcomesDepartMeanwhile() throws InterruptedException {
    Task task = task("q");
    ledger.returned(await(ledger), claimed(task));
    makeThePollLong();
    ledger.ring("q");
    Trip claim = awaitSweep(ledger, "q");
    ledger.ring("q");
    ledger.finished(task, FinishedRun.of(task, Outcome.done(), null), RUN.toNanos());
    Trip outcomes = await(ledger);
    assertThat(outcomes.runs()).hasSize(1);
    assertThat(outcomes.claims()).isFalse();

    ledger.returned(outcomes, claimed());
    ledger.returned(claim, claimed());

    assertThat(await(ledger).claims()).isTrue();
  }

  @Test
  void aClaimThatComesBackToAFencedProcess_isGivenBack() throws InterruptedException {
    Trip trip = await(ledger);
    membership.renewed(UUID.randomUUID(), System.nanoTime());
    Task late = task("q");

    assertThat(ledger.returned(trip, claimed(late))).isEmpty();

    assertThat(ledger.running()).isZero();
    assertThat(await(ledger).runs())
        .extracting(FinishedRun::task, FinishedRun::label)
        .containsExactly(org.assertj.core.groups.Tuple.tuple(late, "released"));
  }

  /** Outcomes that cannot be written, as with a full disk, must not pile up by ever more claims. */
  @Test
  void outcomesThatCannotBeWritten_endTheClaims() throws InterruptedException {
    for (int i = 0; i < Ledger.MOST_UNWRITTEN + 2_000; i++)
      ledger.write(FinishedRun.of(task("q"), Outcome.done(), null));
    assertThat(await(ledger).claims()).isFalse();
    Trip trip = await(ledger);
    while (!trip.claims()) trip = await(ledger);
    assertThat(ledger.unwritten()).isLessThan(Ledger.MOST_UNWRITTEN);
  }

  @Test
  void aSweepThatFailed_isNotRepeatedByEveryClaim() throws InterruptedException {
    Trip sweep = await(ledger);
    assertThat(sweep.sweep()).isTrue();

    ledger.failed(
        new Trip(List.of(), sweep.claim(), true, sweep.departedAt() - ofMinutes(1).toNanos()));

    assertThat(await(ledger).sweep()).isFalse();
  }

  @Test
  void whatCommittedLate_isHiddenForHalfAMinuteAtMost() {
    var floors = new Floors();
    long now = System.nanoTime();
    floors.sweepStarted();
    floors.swept(Map.of(), now - ofMinutes(1).toNanos(), now);
    assertThat(floors.nextSweepAt() - now).isEqualTo(ofSeconds(30).toNanos());
  }

  @Test
  void claimsDuringASlowSweep_keepThePace() throws InterruptedException {
    var two = new Ledger(Map.of("a", 8, "b", 1), Set.of("mail"), membership, ofSeconds(50), 3);
    Task task = task("b");
    two.returned(await(two), claimed(task));
    Trip slow = awaitSweep(two, "a");
    assertThat(slow.claim().rooms()).containsOnlyKeys("a");
    two.finished(task, null, RUN.toNanos());

    long startedAt = System.nanoTime();
    for (int i = 0; i < 6; i++) {
      Trip trip = await(two);
      assertThat(trip.sweep()).isFalse();
      two.returned(trip, claimed());
    }

    assertThat(Duration.ofNanos(System.nanoTime() - startedAt)).isGreaterThan(ofMillis(200));
  }
}
