package dev.dibs.worker;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import dev.dibs.Task;
import dev.dibs.sql.Exchange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What this process holds: tasks that run, tasks that wait in the buffer, and outcomes not yet
 * written. It decides when the next trip to the database is worth its while, and what goes along.
 *
 * <p>The meeting point of task threads, which bring outcomes and take the next task; exchange
 * threads, which take trips and bring tasks; and the listener, which rings. Thread-safe: one lock
 * guards everything here, and nothing that may wait happens under it.
 *
 * <p>A trip departs when outcomes have waited for the flush delay or are many, when a bell rang or
 * a poll is due, or when a queue that has more runs out of work. Whatever makes it depart, it takes
 * all outcomes and claims for all room.
 */
final class Ledger {
  private static final long FLUSH_NANOS = Duration.ofMillis(2).toNanos();

  /** While tasks wait in the buffer, more outcomes are about to come. */
  private static final long BUSY_FLUSH_NANOS = Duration.ofMillis(10).toNanos();

  private static final int FULL = 1_000;
  private static final int LARGEST_TRIP = 2_000;

  /** While so many outcomes cannot be written nothing is claimed: memory stays bounded. */
  static final int MOST_UNWRITTEN = 20_000;

  private static final long LONGEST_WAIT_NANOS = Duration.ofMillis(500).toNanos();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Map<String, QueueSlots> queues = new LinkedHashMap<>();
  private final Set<String> kinds;
  private final Membership membership;
  private final PollClock poll;
  private final Floors floors = new Floors();
  private final LaneOrder laneOrder = new LaneOrder();
  private final Suspects suspects;
  private final HeldUp heldUp = new HeldUp();
  private List<FinishedRun> outbox = new ArrayList<>();
  private long freedAt;
  private boolean freed;
  private boolean claiming = true;
  private boolean drained;
  private boolean closed;
  private int tripsUnderWay;

  /** The outcomes that are on trips, by the time of departure. */
  private final Map<Long, List<FinishedRun>> aboard = new HashMap<>();

  private long written;

  Ledger(
      Map<String, Integer> concurrency,
      Set<String> kinds,
      Membership membership,
      Duration pollInterval,
      int maxLosses) {
    concurrency.forEach((queue, slots) -> queues.put(queue, new QueueSlots(queue, slots)));
    this.kinds = Set.copyOf(kinds);
    this.membership = membership;
    this.suspects = new Suspects(maxLosses);
    this.poll = new PollClock(pollInterval);
  }

  /**
   * Waits until a trip is worth while and hands it out; null when closed and everything is written.
   */
  @Nullable Trip awaitTrip() throws InterruptedException {
    lock.lock();
    try {
      while (true) {
        long now = System.nanoTime();
        long wait = nanosUntilTrip(now);
        if (wait <= 0) return depart(now);
        if (closed && outbox.isEmpty() && heldUp.isEmpty()) return null;
        changed.awaitNanos(Math.min(wait, LONGEST_WAIT_NANOS));
      }
    } finally {
      lock.unlock();
    }
  }

  private long nanosUntilTrip(long now) {
    long wait = heldUp.nanosUntilDue(now, closed);
    if (!outbox.isEmpty()) wait = Math.min(wait, nanosUntilFlush(now));
    if (!mayClaim(now) || outbox.size() >= MOST_UNWRITTEN) return wait;
    for (QueueSlots slots : queues.values()) {
      if (slots.room() > 0) wait = Math.min(wait, nanosUntilClaim(slots, now));
    }
    return wait;
  }

  private long nanosUntilFlush(long now) {
    boolean nobodyToWaitFor = closed || queues.values().stream().allMatch(QueueSlots::isIdle);
    if (nobodyToWaitFor || outbox.size() >= FULL) return 0;
    boolean busy = queues.values().stream().anyMatch(slots -> slots.buffered() > 0);
    return freedAt + (busy ? BUSY_FLUSH_NANOS : FLUSH_NANOS) - now;
  }

  private long nanosUntilClaim(QueueSlots slots, long now) {
    if (slots.isRung()) return 0;
    if (slots.isDry()) return poll.nanosUntilDue(now);
    return slots.isHungry() || !freed ? 0 : freedAt + FLUSH_NANOS - now;
  }

  private boolean mayClaim(long now) {
    return claiming && !drained && membership.isHeld(now);
  }

  private Trip depart(long now) {
    if (heldUp.nanosUntilDue(now, closed) <= 0) return depart(heldUp.depart(now), now);
    List<FinishedRun> runs = takeOutbox();
    boolean sweep = floors.isSweepDue(now);
    List<Exchange.LaneRoom> lanes = new ArrayList<>();
    Map<String, Integer> rooms = new LinkedHashMap<>();
    if (mayClaim(now) && outbox.size() < MOST_UNWRITTEN) {
      var order = laneOrder.next();
      for (QueueSlots slots : queues.values()) {
        int room = slots.reserve();
        if (room == 0) continue;
        rooms.put(slots.queue(), room);
        for (var priority : order) {
          var lane = new Task.Lane(slots.queue(), priority);
          long floor = floors.of(lane);
          lanes.add(new Exchange.LaneRoom(lane, sweep ? 0 : floor, room, floor));
        }
      }
    }
    sweep = sweep && !rooms.isEmpty();
    if (sweep) floors.sweepStarted();
    if (!rooms.isEmpty()) poll.claimStarted(now);
    tripsUnderWay++;
    aboard.put(now, runs);
    var claim = new Exchange.Claim(membership.worker(), UUID.randomUUID(), lanes, rooms, kinds);
    return new Trip(runs, claim, sweep, now);
  }

  /** A trip with one outcome that may have to wait for a lock, and nothing else. */
  private Trip depart(FinishedRun run, long now) {
    tripsUnderWay++;
    aboard.put(now, List.of(run));
    var nothing =
        new Exchange.Claim(membership.worker(), UUID.randomUUID(), List.of(), Map.of(), kinds);
    return new Trip(List.of(run), nothing, false, now);
  }

  private List<FinishedRun> takeOutbox() {
    List<FinishedRun> taken;
    if (outbox.size() <= LARGEST_TRIP) {
      taken = outbox;
      outbox = new ArrayList<>();
      freed = false;
    } else {
      taken = List.copyOf(outbox.subList(0, LARGEST_TRIP));
      outbox = new ArrayList<>(outbox.subList(LARGEST_TRIP, outbox.size()));
    }
    return taken;
  }

  /** A trip came back; answers the tasks to start now. */
  List<Task> returned(Trip trip, Exchange.Result result) {
    lock.lock();
    try {
      ended(trip);
      written += trip.runs().size();
      long now = System.nanoTime();
      if (trip.sweep()) floors.swept(result.reached(), trip.departedAt(), now);
      else floors.reached(result.reached());
      List<Task> start = settle(trip, result.claimed());
      if (trip.claims()) poll.claimEnded(!result.claimed().isEmpty(), now);
      if (trip.claims() && !floors.isSweeping() && !trip.sweep())
        poll.dueNoLaterThan(floors.nextSweepAt());
      changed.signalAll();
      return start;
    } finally {
      lock.unlock();
    }
  }

  private List<Task> settle(Trip trip, List<Task> claimed) {
    List<Task> start = new ArrayList<>();
    // What has the id of a task in another queue may come along with it.
    for (Task task : claimed)
      if (!trip.claim().rooms().containsKey(task.queue())) post(FinishedRun.released(task));
    for (var entry : trip.claim().rooms().entrySet()) {
      QueueSlots slots = slots(entry.getKey());
      List<Task> tasks =
          claimed.stream().filter(task -> task.queue().equals(entry.getKey())).toList();
      if (mayRun(trip.claim().worker())) {
        boolean foundLess = tasks.size() < entry.getValue();
        start.addAll(slots.arrived(admitted(tasks), entry.getValue(), foundLess));
      } else {
        slots.lost(entry.getValue());
        tasks.forEach(task -> post(FinishedRun.released(task)));
      }
    }
    return start;
  }

  /** Those of {@code tasks} that may run now; the others come again soon. */
  private List<Task> admitted(List<Task> tasks) {
    if (tasks.stream().noneMatch(suspects::isSuspect)) return tasks;
    List<Task> admitted = new ArrayList<>();
    for (Task task : tasks) {
      if (suspects.admit(task)) admitted.add(task);
      else post(FinishedRun.released(task, Suspects.comeAgain()));
    }
    return admitted;
  }

  /** Nobody beats for what was claimed in a name that this process lost meanwhile. */
  private boolean mayRun(UUID claimant) {
    return mayClaim(System.nanoTime()) && claimant.equals(membership.worker());
  }

  private void ended(Trip trip) {
    tripsUnderWay--;
    aboard.remove(trip.departedAt());
    heldUp.ended(trip.departedAt());
  }

  /** Somebody has the task's row locked: the outcome is tried again later, by itself. */
  void heldUp(FinishedRun run) {
    lock.lock();
    try {
      heldUp.add(run, System.nanoTime());
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** A trip got no answer; its outcomes wait for the next one. */
  void failed(Trip trip) {
    lock.lock();
    try {
      ended(trip);
      if (trip.sweep()) floors.sweepLost(trip.departedAt(), System.nanoTime());
      trip.claim().rooms().forEach((queue, room) -> slots(queue).lost(room));
      trip.runs().forEach(this::post);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes tasks that an exchange without an answer did claim for {@code claimant}; answers those to
   * start now.
   */
  List<Task> adopt(UUID claimant, Collection<Task> tasks) {
    lock.lock();
    try {
      List<Task> start = new ArrayList<>();
      for (Task task : tasks) {
        if (mayRun(claimant) && queues.containsKey(task.queue()))
          start.addAll(slots(task.queue()).arrived(admitted(List.of(task)), 0, false));
        else post(FinishedRun.released(task));
      }
      changed.signalAll();
      return start;
    } finally {
      lock.unlock();
    }
  }

  /**
   * A run ended, with {@code run} to be written if it is not null; answers the next task to start
   * in its slot.
   */
  @Nullable Task finished(Task task, @Nullable FinishedRun run, long nanos) {
    lock.lock();
    try {
      QueueSlots slots = slots(task.queue());
      int before = slots.buffered();
      if (run != null) post(run);
      suspects.left(task);
      free();
      Task next = slots.ended(nanos);
      boolean ranLow = slots.buffered() < before && slots.buffered() == slots.hoard() / 2;
      if (ranLow || slots.buffered() == 0 || outbox.size() == FULL) changed.signalAll();
      return next;
    } finally {
      lock.unlock();
    }
  }

  /**
   * A run does not end and was given up, with {@code run} to be written if it is not null; answers
   * the next task to start in its slot.
   */
  @Nullable Task stuck(Task task, @Nullable FinishedRun run) {
    lock.lock();
    try {
      if (run != null) post(run);
      suspects.left(task);
      changed.signalAll();
      return slots(task.queue()).stuck();
    } finally {
      lock.unlock();
    }
  }

  /** A run that was given up has ended; answers the next task to start. */
  @Nullable Task unstuck(Task task) {
    lock.lock();
    try {
      changed.signalAll();
      return slots(task.queue()).unstuck();
    } finally {
      lock.unlock();
    }
  }

  /** Whether a queue has more stuck runs than slots, so that some slots stay taken. */
  boolean isClogged() {
    lock.lock();
    try {
      return queues.values().stream().anyMatch(slots -> slots.beyondReopening() > 0);
    } finally {
      lock.unlock();
    }
  }

  private void post(FinishedRun run) {
    outbox.add(run);
    if (outbox.size() == 1) changed.signal();
    free();
  }

  private void free() {
    if (freed) return;
    freed = true;
    freedAt = System.nanoTime();
  }

  private QueueSlots slots(String queue) {
    QueueSlots slots = queues.get(queue);
    if (slots == null) throw new IllegalStateException("queue '" + queue + "' is not served here");
    return slots;
  }

  /** There is work in {@code queue}, if this process serves it. */
  void ring(String queue) {
    lock.lock();
    try {
      QueueSlots slots = queues.get(queue);
      if (slots == null) return;
      slots.ring();
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /** There may be work in any queue: bells may have been missed. */
  void ringAll() {
    lock.lock();
    try {
      queues.values().forEach(QueueSlots::ring);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Claims no more until {@link #undrain} and gives the buffer back; answers how many that were.
   */
  int drain() {
    lock.lock();
    try {
      drained = true;
      return releaseBuffer(false);
    } finally {
      lock.unlock();
    }
  }

  /** Claims again. */
  void undrain() {
    lock.lock();
    try {
      drained = false;
      ringAll();
    } finally {
      lock.unlock();
    }
  }

  boolean isDrained() {
    lock.lock();
    try {
      return drained;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Gives the buffer back; with {@code forGood}, claims no more. Answers how many were given back.
   */
  int releaseBuffer(boolean forGood) {
    lock.lock();
    try {
      if (forGood) claiming = false;
      int released = 0;
      for (QueueSlots slots : queues.values()) {
        for (Task task : slots.empty()) {
          suspects.left(task);
          post(FinishedRun.released(task));
          released++;
        }
      }
      changed.signalAll();
      return released;
    } finally {
      lock.unlock();
    }
  }

  /** Keeps an outcome that could not be written, for a later trip. */
  void write(FinishedRun run) {
    lock.lock();
    try {
      post(run);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until no handler runs but those given up; false if that took longer than {@code timeout}.
   */
  boolean awaitNoRuns(Duration timeout) throws InterruptedException {
    return await(
        timeout,
        () ->
            queues.values().stream().allMatch(slots -> slots.running() == slots.beyondReopening()));
  }

  /** Ends the trips once everything is written; false if that took longer than {@code timeout}. */
  boolean closeWhenWritten(Duration timeout) throws InterruptedException {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
      return await(timeout, () -> outbox.isEmpty() && heldUp.isEmpty() && tripsUnderWay == 0);
    } finally {
      lock.unlock();
    }
  }

  private boolean await(Duration timeout, BooleanSupplier condition) throws InterruptedException {
    lock.lock();
    try {
      long deadline = System.nanoTime() + NANOSECONDS.convert(timeout); // the longest, if too long
      while (!condition.getAsBoolean()) {
        long left = deadline - System.nanoTime();
        if (left <= 0) return false;
        changed.awaitNanos(left);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  int running() {
    lock.lock();
    try {
      return queues.values().stream().mapToInt(QueueSlots::running).sum();
    } finally {
      lock.unlock();
    }
  }

  int buffered() {
    lock.lock();
    try {
      return queues.values().stream().mapToInt(QueueSlots::buffered).sum();
    } finally {
      lock.unlock();
    }
  }

  /** How many outcomes trips have taken to the database so far. */
  long written() {
    lock.lock();
    try {
      return written;
    } finally {
      lock.unlock();
    }
  }

  /** What this process holds of tasks that wait for a slot, or whose outcomes are to be written. */
  Set<Task.Hold> holds() {
    lock.lock();
    try {
      Set<Task.Hold> holds = new HashSet<>();
      queues.values().forEach(slots -> slots.waiting().forEach(task -> holds.add(task.hold())));
      outbox.forEach(run -> holds.add(run.task().hold()));
      heldUp.runs().forEach(run -> holds.add(run.task().hold()));
      aboard.values().forEach(runs -> runs.forEach(run -> holds.add(run.task().hold())));
      return holds;
    } finally {
      lock.unlock();
    }
  }

  /** How many outcomes wait to be written. */
  int unwritten() {
    lock.lock();
    try {
      return outbox.size() + heldUp.size();
    } finally {
      lock.unlock();
    }
  }
}
