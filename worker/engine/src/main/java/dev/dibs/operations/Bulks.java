package dev.dibs.operations;

import dev.dibs.BulkOrder;
import dev.dibs.BulkPreview;
import dev.dibs.BulkPreview.Count;
import dev.dibs.BulkPreview.Exactness;
import dev.dibs.BulkRow;
import dev.dibs.DatabaseException;
import dev.dibs.Request;
import dev.dibs.TaskFilter;
import dev.dibs.TaskRow;
import dev.dibs.sql.Bell;
import dev.dibs.sql.BulkRows;
import dev.dibs.sql.ListTasks;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * One change to all the tasks that a filter chooses: shown first, then done in batches that can be
 * interrupted and resumed.
 *
 * <p>A bulk touches what stood as its preview saw it: tasks that came later, or that anybody has
 * changed since, are left alone, and those that it changed are not met again. Each batch is one
 * transaction of at most 500 tasks, made so small that it takes a fifth of a second; what somebody
 * else has locked is skipped. Of two bulks that work in the same queue one runs. Thread-safe; holds
 * nothing that would have to be closed.
 */
public final class Bulks {
  /**
   * What came of a request to begin or to go on.
   *
   * @param drive to be run, where it was granted
   * @param message else why not
   */
  public record Begun(Optional<BulkDrive> drive, String message) {}

  /**
   * What came of an interruption.
   *
   * @param done whether it was running, and is not any more
   * @param message else why not
   */
  public record Interrupted(boolean done, String message) {}

  private static final int COUNTED = 10_000;
  private static final int SAMPLE = 20;
  private static final int FIRST = 10;
  private static final int LOOK = 20_000;
  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final Set<String> TIMED_OUT = Set.of("57014", "55P03");

  private final DataSource dataSource;
  private final OwnTransaction own;
  private final BulkRows rows;
  private final ListTasks tasks;
  private final Bell bell;

  private Bulks(DataSource dataSource, Schema schema) {
    this.dataSource = dataSource;
    this.own = new OwnTransaction(dataSource);
    this.rows = new BulkRows(schema);
    this.tasks = new ListTasks(schema);
    this.bell = new Bell(schema);
  }

  /** Bulks of the schema {@code dibs}. */
  public static Bulks on(DataSource dataSource) {
    return on(dataSource, Schema.DEFAULT);
  }

  public static Bulks on(DataSource dataSource, Schema schema) {
    return new Bulks(dataSource, schema);
  }

  /**
   * Shows what a bulk would do; changes nothing. Counts to 10,000, for at most two seconds.
   *
   * @throws IllegalArgumentException if the database refuses the order
   * @throws DatabaseException if the database cannot answer
   */
  public BulkPreview preview(BulkOrder order) {
    String frozen =
        own.act("the bulk could not be previewed", connection -> rows.freeze(connection, order));
    Optional<BulkRows.First> counted = first(order, frozen, COUNTED + 1, Integer.MAX_VALUE);
    List<UUID> found =
        counted
            .or(() -> first(order, frozen, SAMPLE, LOOK))
            .map(BulkRows.First::ids)
            .orElse(List.of());
    return new BulkPreview(order, frozen, count(counted), sample(order, found));
  }

  private Optional<BulkRows.First> first(BulkOrder order, String frozen, int most, int look) {
    try {
      return own.act(
          "the tasks of the bulk could not be counted",
          connection -> Optional.of(rows.first(connection, order, frozen, most, look, PATIENCE)));
    } catch (DatabaseException e) {
      if (TIMED_OUT.contains(e.sqlState())) return Optional.empty();
      throw e;
    }
  }

  private static Count count(Optional<BulkRows.First> counted) {
    if (counted.isEmpty()) return new Count(0, Exactness.NOT_COUNTED);
    int found = counted.get().ids().size();
    return found > COUNTED
        ? new Count(COUNTED, Exactness.AT_LEAST)
        : new Count(found, Exactness.EXACT);
  }

  /** The first ten, and as many spread over the others. */
  private List<TaskRow> sample(BulkOrder order, List<UUID> found) {
    if (found.isEmpty()) return List.of();
    Set<UUID> some = new LinkedHashSet<>(found.subList(0, Math.min(FIRST, found.size())));
    int left = found.size() - some.size();
    for (int i = 0; i < Math.min(left, SAMPLE - FIRST); i++)
      some.add(found.get(FIRST + (int) ((long) i * left / (SAMPLE - FIRST))));
    TaskFilter these = TaskFilter.of(order.filter().status()).ids(some);
    try {
      return own.read(
          "the sample of the bulk could not be read",
          connection -> tasks.list(connection, these, Optional.empty(), SAMPLE, LOOK).rows());
    } catch (DatabaseException e) {
      if (TIMED_OUT.contains(e.sqlState())) return List.of(); // no reason not to begin either
      throw e;
    }
  }

  /**
   * Begins what a preview showed. The bulk's id is that of the request; the second of two equal
   * requests is told so and drives nothing.
   *
   * @param request its reason has at least 10 characters
   * @throws IllegalArgumentException if the database refuses the request
   * @throws DatabaseException if the database cannot answer; send the same request again then, and
   *     if it was done, resume it
   */
  public Begun start(BulkPreview preview, Request request) {
    Count count = preview.count();
    OptionalLong expected =
        count.exactness() == Exactness.EXACT
            ? OptionalLong.of(count.tasks())
            : OptionalLong.empty();
    return own.act(
        "the bulk could not be started",
        connection ->
            begun(
                connection,
                request.id(),
                rows.start(connection, preview.order(), preview.frozen(), expected, request)));
  }

  /**
   * Goes on with a bulk that was interrupted or failed, or whose process went away more than half a
   * minute ago.
   */
  public Begun resume(UUID bulk, Request request) {
    return own.act(
        "bulk %s could not be resumed".formatted(bulk),
        connection -> begun(connection, bulk, rows.resume(connection, bulk, false, request)));
  }

  /**
   * Likewise, for a process that nobody asked: only where the other one went away within the last
   * ten minutes. What stood still for longer is left to people.
   */
  public Begun adopt(UUID bulk, Request request) {
    return own.act(
        "bulk %s could not be adopted".formatted(bulk),
        connection -> begun(connection, bulk, rows.resume(connection, bulk, true, request)));
  }

  private Begun begun(Connection connection, UUID bulk, BulkRows.Answer answer) {
    Optional<BulkDrive> drive =
        answer
            .driver()
            .map(driver ->
                new BulkDrive(
                    new Link(dataSource),
                    rows,
                    bell,
                    rows.find(connection, bulk).orElseThrow(),
                    driver));
    return new Begun(drive, answer.message());
  }

  /** Stops a bulk after the batch that is under way, whichever process drives it. */
  public Interrupted interrupt(UUID bulk, Request request) {
    return own.act(
        "bulk %s could not be interrupted".formatted(bulk),
        connection -> {
          BulkRows.Answer answer = rows.interrupt(connection, bulk, request);
          return new Interrupted(answer.result().equals("done"), answer.message());
        });
  }

  public Optional<BulkRow> find(UUID bulk) {
    return own.read(
        "bulk %s could not be read".formatted(bulk), connection -> rows.find(connection, bulk));
  }

  /**
   * The newest bulks.
   *
   * @param before only those that began before this one
   */
  public List<BulkRow> list(Optional<BulkRow> before, int size) {
    return own.act(
        "the bulks could not be read", connection -> rows.list(connection, before, size));
  }
}
