package dev.dibs.sql;

import dev.dibs.Task;
import dev.dibs.TaskStatus;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes the outcomes of finished runs and claims the next tasks: two statements, one after the
 * other.
 *
 * <p>Apart, so that the claim looks at rows as they are when it begins and holds no lock while
 * outcomes wait for theirs; see {@link EndRuns} and {@link ClaimTasks}. At batches of 500 that is 4
 * statements per 1,000 tasks, and 2 commits that wait for the disk. Needs READ COMMITTED.
 * Thread-safe.
 */
public final class Exchange {
  /**
   * A run that ended for good. {@code error} is a JSON object, or null where nothing went wrong.
   */
  public record Ended(Task.Hold hold, TaskStatus status, @Nullable String error) {}

  /**
   * A run whose task comes again.
   *
   * @param delay zero: it is ready at once
   * @param failed whether it counts as a failure
   */
  public record Again(Task.Hold hold, Duration delay, boolean failed, @Nullable String error) {}

  /** What a batch of finished runs came to. */
  public record Outcomes(List<Ended> ended, List<Again> again) {
    public static final Outcomes NONE = new Outcomes(List.of(), List.of());

    public Outcomes {
      ended = List.copyOf(ended);
      again = List.copyOf(again);
    }

    public boolean isEmpty() {
      return ended.isEmpty() && again.isEmpty();
    }

    public int size() {
      return ended.size() + again.size();
    }
  }

  /**
   * One lane to claim from.
   *
   * @param floor only tasks above this position are looked at
   * @param room at most so many are taken
   * @param known the floor as it is known, below which a sweep looks nevertheless
   */
  public record LaneRoom(Task.Lane lane, long floor, int room, long known) {
    /** A lane in which nothing is expected to be found below the floor. */
    public LaneRoom(Task.Lane lane, long floor, int room) {
      this(lane, floor, room, floor);
    }

    boolean isSwept() {
      return floor < known;
    }
  }

  /**
   * What to claim.
   *
   * @param lanes in the order they are emptied
   * @param rooms by queue, the most to take from all its lanes
   * @param kinds only tasks of these are claimed
   * @param lease new and random for this claim
   */
  public record Claim(
      UUID worker,
      UUID lease,
      List<LaneRoom> lanes,
      Map<String, Integer> rooms,
      Set<String> kinds) {
    public Claim {
      lanes = List.copyOf(lanes);
      rooms = Map.copyOf(rooms);
      kinds = Set.copyOf(kinds);
    }
  }

  /**
   * What the exchange did.
   *
   * @param claimed the tasks that are ours now
   * @param reached by lane, the highest position that was claimed
   * @param refused the runs that had lost their lease: nothing was written for them
   * @param below how many of those claimed stood below the floor that was known of their lane
   */
  public record Result(
      List<Task> claimed, Map<Task.Lane, Long> reached, Set<UUID> refused, int below) {
    public Result(List<Task> claimed, Map<Task.Lane, Long> reached, Set<UUID> refused) {
      this(claimed, reached, refused, 0);
    }
  }

  private final SqlText ending;
  private final SqlText claiming;

  public Exchange(Schema schema) {
    this.ending = SqlText.of(schema, EndRuns.query());
    this.claiming = SqlText.of(schema, ClaimTasks.query());
  }

  /**
   * Writes the outcomes, if there are any, then claims, if any room is asked for. In the
   * transaction of {@code connection}; under auto-commit each is a transaction of its own, and that
   * of the claim does not wait for the disk.
   *
   * @throws SQLException if the database cannot answer. If the connection broke, the outcomes may
   *     have been written and tasks claimed under this claim's lease all the same; if it did not
   *     break, the outcomes may have been written.
   */
  public Result run(Connection connection, Outcomes outcomes, Claim claim) throws SQLException {
    Set<UUID> refused = outcomes.isEmpty() ? Set.of() : end(connection, outcomes);
    if (claim.rooms().isEmpty()) return new Result(List.of(), Map.of(), refused);
    boolean lazily = outcomes.isEmpty() || connection.getAutoCommit();
    try (var statement = claiming.prepare(connection, values(connection, claim, lazily));
        ResultSet rows = statement.executeQuery()) {
      List<Task> claimed = new ArrayList<>();
      Map<Task.Lane, Long> reached = new HashMap<>();
      Map<Task.Lane, Long> swept = swept(claim);
      int below = 0;
      while (rows.next()) {
        Task task = ClaimedRow.read(rows, claim.lease());
        long position = ClaimedRow.position(rows);
        claimed.add(task);
        reached.merge(task.lane(), position, Math::max);
        if (!swept.isEmpty() && position <= swept.getOrDefault(task.lane(), 0L)) below++;
      }
      return new Result(claimed, reached, refused, below);
    }
  }

  /** The known floors of the lanes that are swept; none in most claims. */
  private static Map<Task.Lane, Long> swept(Claim claim) {
    Map<Task.Lane, Long> floors = Map.of();
    for (LaneRoom lane : claim.lanes()) {
      if (!lane.isSwept()) continue;
      if (floors.isEmpty()) floors = new HashMap<>();
      floors.put(lane.lane(), lane.known());
    }
    return floors;
  }

  private Set<UUID> end(Connection connection, Outcomes outcomes) throws SQLException {
    List<Ended> ended = new ArrayList<>();
    List<Ended> twins = new ArrayList<>();
    for (Ended one : sorted(outcomes.ended(), Ended::hold)) {
      boolean isTwin = !ended.isEmpty() && ended.getLast().hold().id().equals(one.hold().id());
      (isTwin ? twins : ended).add(one);
    }
    List<Again> again = sorted(outcomes.again(), Again::hold);
    Set<UUID> refused = new HashSet<>();
    try (var statement = ending.prepare(connection, values(connection, ended, again));
        ResultSet rows = statement.executeQuery()) {
      while (rows.next()) refused.add(rows.getObject(1, UUID.class));
    }
    // One id in two queues is two tasks; the statement takes an id once.
    if (!twins.isEmpty()) refused.addAll(end(connection, new Outcomes(twins, List.of())));
    return refused;
  }

  /** By id, in the database's order of ids, which is not Java's. */
  private static <T> List<T> sorted(List<T> outcomes, Function<T, Task.Hold> hold) {
    List<T> sorted = new ArrayList<>(outcomes);
    sorted.sort((a, b) -> compare(hold.apply(a).id(), hold.apply(b).id()));
    return sorted;
  }

  private static int compare(UUID a, UUID b) {
    int most = Long.compareUnsigned(a.getMostSignificantBits(), b.getMostSignificantBits());
    return most != 0
        ? most
        : Long.compareUnsigned(a.getLeastSignificantBits(), b.getLeastSignificantBits());
  }

  private static Map<String, @Nullable Object> values(
      Connection connection, List<Ended> ended, List<Again> again) throws SQLException {
    List<Ended> odd = new ArrayList<>();
    List<Short> endings = new ArrayList<>(ended.size());
    for (Ended one : ended) {
      boolean isPlain = one.status() == TaskStatus.SUCCEEDED && one.error() == null;
      if (!isPlain) odd.add(one);
      endings.add((short) (isPlain ? 0 : odd.size()));
    }
    var arrays = new Arrays(connection);
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("endedIds", arrays.uuid(ended, e -> e.hold().id()));
    values.put("endedLeases", arrays.uuid(ended, e -> e.hold().lease()));
    values.put("endings", arrays.int2(endings, e -> e));
    values.put("oddStatuses", arrays.text(odd, e -> e.status().name()));
    values.put("oddErrors", arrays.text(odd, Ended::error));
    values.put("againIds", arrays.uuid(again, a -> a.hold().id()));
    values.put("againLeases", arrays.uuid(again, a -> a.hold().lease()));
    values.put("againDelays", arrays.int8(again, a -> Time.micros(a.delay())));
    values.put("againFailed", arrays.int4(again, a -> a.failed() ? 1 : 0));
    values.put("againErrors", arrays.text(again, Again::error));
    return values;
  }

  private static Map<String, @Nullable Object> values(
      Connection connection, Claim claim, boolean lazily) throws SQLException {
    List<Map.Entry<String, Integer>> rooms = List.copyOf(claim.rooms().entrySet());
    var arrays = new Arrays(connection);
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("queues", arrays.text(rooms, Map.Entry::getKey));
    values.put("queueRooms", arrays.int4(rooms, Map.Entry::getValue));
    values.put("laneQueues", arrays.text(claim.lanes(), l -> l.lane().queue()));
    values.put("lanePriorities", arrays.int2(claim.lanes(), l -> l.lane().priority().level()));
    values.put("laneFloors", arrays.int8(claim.lanes(), LaneRoom::floor));
    values.put("laneRooms", arrays.int4(claim.lanes(), LaneRoom::room));
    values.put("kinds", arrays.text(List.copyOf(claim.kinds()), k -> k));
    values.put("worker", claim.worker());
    values.put("lease", claim.lease());
    values.put("lazily", lazily);
    return values;
  }

  /** The statement that writes outcomes, for those who review it. */
  SqlText ending() {
    return ending;
  }

  /** The statement that claims, for those who review it. */
  SqlText claiming() {
    return claiming;
  }
}
