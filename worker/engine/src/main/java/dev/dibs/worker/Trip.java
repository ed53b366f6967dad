package dev.dibs.worker;

import dev.dibs.sql.Exchange;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.UUID;

/**
 * One exchange with the database: the runs to write down and the tasks to claim.
 *
 * @param sweep whether the claim looks below the floors
 * @param departedAt the monotonic time at which it was put together
 */
record Trip(List<FinishedRun> runs, Exchange.Claim claim, boolean sweep, long departedAt) {
  Trip {
    runs = List.copyOf(runs);
  }

  /** What the exchange writes; a run that came to nothing is not among the runs. */
  Exchange.Outcomes outcomes() {
    return outcomes(runs);
  }

  static Exchange.Outcomes outcomes(List<FinishedRun> runs) {
    return new Exchange.Outcomes(
        runs.stream().map(FinishedRun::ended).filter(Objects::nonNull).toList(),
        runs.stream().map(FinishedRun::again).filter(Objects::nonNull).toList());
  }

  boolean claims() {
    return !claim.rooms().isEmpty();
  }

  /** The same trip with other runs. */
  Trip with(Collection<FinishedRun> others) {
    return new Trip(List.copyOf(others), claim, sweep, departedAt);
  }

  /**
   * The claim with nothing to write, under a lease of its own: by the first one may be found, later
   * on, what was claimed without an answer.
   */
  Trip claimOnly() {
    var again =
        new Exchange.Claim(
            claim.worker(), UUID.randomUUID(), claim.lanes(), claim.rooms(), claim.kinds());
    return new Trip(List.of(), again, sweep, departedAt);
  }

  /** A claim of nothing, for writing alone. */
  Exchange.Claim noClaim() {
    return new Exchange.Claim(
        claim.worker(), claim.lease(), List.of(), java.util.Map.of(), claim.kinds());
  }
}
