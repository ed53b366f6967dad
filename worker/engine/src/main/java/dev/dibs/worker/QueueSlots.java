package dev.dibs.worker;

import dev.dibs.Task;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One queue's share of a process: what runs, what is buffered, what is being claimed, and how much
 * more to claim.
 *
 * <p>The buffer holds no more than the handlers eat while the next tasks are fetched: their
 * measured duration decides, so slow handlers get no hoard and quick ones get large batches. Owned
 * by the {@link Ledger}, under its lock.
 */
final class QueueSlots {
  /** The most tasks one claim takes from a queue. */
  static final int LARGEST_CLAIM = 1_000;

  /** The buffer lasts for so long at the measured pace. */
  private static final double HOARD_NANOS = 50e6;

  private static final double WEIGHT_OF_LAST = 0.05;

  /** One claim brings about so many characters of payload at the most. */
  private static final double LARGEST_CONTENT = 8 << 20;

  private final String queue;
  private final int concurrency;
  private final ArrayDeque<Task> buffered = new ArrayDeque<>();
  private int running;
  private int reserved;
  private int stuck;
  private double runNanos = -1;
  private double contentChars = 1;
  private boolean dry;
  private boolean rung = true;

  QueueSlots(String queue, int concurrency) {
    this.queue = queue;
    this.concurrency = concurrency;
  }

  String queue() {
    return queue;
  }

  int concurrency() {
    return concurrency;
  }

  int running() {
    return running;
  }

  int buffered() {
    return buffered.size();
  }

  /** The tasks in the buffer. */
  Iterable<Task> waiting() {
    return buffered;
  }

  boolean isIdle() {
    return running == 0 && buffered.isEmpty() && reserved == 0;
  }

  /** How many tasks a claim may bring now; none while the buffer lasts. */
  int room() {
    if (buffered.size() + reserved > hoard() / 2) return 0;
    int room = concurrency + hoard() - running - buffered.size() - reserved;
    return Math.clamp(room, 0, largestClaim());
  }

  /** Whether so many slots are free that a claim should not wait for more of them. */
  boolean isHungry() {
    return running + buffered.size() <= (concurrency + hoard()) / 2;
  }

  /** Large payloads come in small claims: a claim is held in memory as a whole. */
  private int largestClaim() {
    return (int) Math.clamp(LARGEST_CONTENT / contentChars, 1, LARGEST_CLAIM);
  }

  int hoard() {
    if (runNanos < 0) return 0;
    return (int) Math.min(2 * largestClaim(), concurrency * HOARD_NANOS / Math.max(runNanos, 1));
  }

  /** Takes room for a claim that goes out now. */
  int reserve() {
    int room = room();
    reserved += room;
    if (room > 0) rung = false; // a trip that claims nothing here does not answer the bell
    return room;
  }

  /**
   * A claim came back with {@code tasks}, for which {@code room} was reserved; answers those to
   * start now.
   *
   * @param foundLess whether there was less than asked for
   */
  List<Task> arrived(List<Task> tasks, int room, boolean foundLess) {
    reserved -= room;
    dry = foundLess;
    tasks.forEach(this::weigh);
    buffered.addAll(tasks);
    List<Task> start = new ArrayList<>();
    for (Task next = start(); next != null; next = start()) start.add(next);
    return start;
  }

  private void weigh(Task task) {
    double chars = task.content().payload().length() + task.content().headers().length();
    contentChars = Math.max(1, contentChars + WEIGHT_OF_LAST * (chars - contentChars));
  }

  /** A claim did not come back: whether there is more is unknown. */
  void lost(int room) {
    dry = false;
    reserved -= room;
  }

  /** A run ended after {@code nanos}; answers the next to start in its slot. */
  @Nullable Task ended(long nanos) {
    running--;
    runNanos =
        runNanos < 0 ? (double) nanos : runNanos + WEIGHT_OF_LAST * ((double) nanos - runNanos);
    return start();
  }

  /**
   * A run was given up that does not end. Its slot is open again, unless as many are stuck already
   * as may run: what handlers use up must stay bounded. Answers the next to start.
   */
  @Nullable Task stuck() {
    stuck++;
    if (stuck <= concurrency) running--;
    return start();
  }

  /** A run that was given up has ended after all; answers the next to start. */
  @Nullable Task unstuck() {
    stuck--;
    if (stuck >= concurrency) running--;
    return start();
  }

  /** How many runs have been given up, beyond those whose slots are open again. */
  int beyondReopening() {
    return Math.max(0, stuck - concurrency);
  }

  private @Nullable Task start() {
    if (running >= concurrency) return null;
    Task next = buffered.poll();
    if (next != null) running++;
    return next;
  }

  /** Somebody said that there is work. */
  void ring() {
    rung = true;
    dry = false;
  }

  /** Whether the last claim found less than it asked for. */
  boolean isDry() {
    return dry;
  }

  /** Whether there was a bell since the last claim. */
  boolean isRung() {
    return rung;
  }

  /** Gives up the buffer; answers what was in it. */
  List<Task> empty() {
    List<Task> tasks = List.copyOf(buffered);
    buffered.clear();
    return tasks;
  }
}
