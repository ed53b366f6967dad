package dev.dibs.chaos;

import dev.dibs.Kind;
import dev.dibs.NewTask;
import java.util.random.RandomGenerator;

/**
 * What a task of a chaos run is to do.
 *
 * @param millis how long it takes
 * @param stubborn whether it goes on when it is interrupted
 * @param retries how often it fails before it does not
 * @param snoozes whether its first run puts it off
 * @param end {@code done}, {@code dead} or {@code cancel}
 * @param follows whether its transaction enqueues another task
 */
record Work(
    int millis, boolean stubborn, int retries, boolean snoozes, String end, boolean follows) {
  static final String QUEUE = "chaos";

  /** What the answer to a claim holds, and no other does. */
  static final String PAYLOAD = "\"millis\"";

  /** Its effect is in a file. */
  static final Kind<Work> OUTSIDE = Kind.of("outside", Work.class);

  /** Its effect is in the database, in one commit with its completion. */
  static final Kind<Work> INSIDE = Kind.of("inside", Work.class);

  /** Takes its time and is done. */
  static Work taking(int millis) {
    return new Work(millis, false, 0, false, "done", false);
  }

  /** The same, but nothing stops it. */
  Work goingOn() {
    return new Work(millis, true, retries, snoozes, end, follows);
  }

  NewTask<Work> task(Kind<Work> kind) {
    return kind.task(this).queue(QUEUE);
  }

  /** A task as the workload wants it. */
  static NewTask<Work> draw(RandomGenerator random, Workload workload) {
    int retries = random.nextInt(100) < workload.percentRetried() ? 1 + random.nextInt(2) : 0;
    boolean snoozes = random.nextInt(100) < workload.percentSnoozed();
    int end = random.nextInt(100);
    var work =
        new Work(
            workload.lengths().draw(random),
            random.nextInt(10) == 0,
            retries,
            snoozes,
            end == 0 ? "dead" : end == 1 ? "cancel" : "done",
            random.nextInt(100) < 20);
    return work.task(random.nextInt(100) < workload.percentInside() ? INSIDE : OUTSIDE);
  }
}
