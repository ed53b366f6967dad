package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.Page;
import dev.dibs.Priority;
import dev.dibs.TaskFilter;
import dev.dibs.TaskRow;
import dev.dibs.TaskStatus;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(120)
class ListTasksTest {
  private static final int LOOK = 20_000;

  private final ListTasks list = new ListTasks(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connect();

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  /** Tasks of a status in {@code queues} queues q0, q1 …, of kinds k0 to k9, all at one time. */
  private void fill(TaskStatus status, int tasks, int queues) {
    if (status.isFinal())
      db.execute(
          "insert into dibs.task_history (id, queue, kind, status, attempt, created_at, run_at, finished_at, priority, failures, losses, max_attempts, payload, headers, errors)"
              + " select gen_random_uuid(), 'q' || n % ?, 'k' || n % 10, ?::dibs.task_status, 1, now(), now(), date_trunc('second', now()) - n / 500 * interval '1 s',"
              + " 1 + n % 4, 0, 0, 1, '{}', jsonb_build_object('n', n::text),"
              + " jsonb_build_array(jsonb_build_object('class', 'E', 'message', 'Broken ' || n || '.'))"
              + " from generate_series(1, ?) n",
          queues, status.name(), tasks);
    else
      db.execute(
          "insert into dibs.task (id, queue, kind, status, attempt, run_at, claimed_at, priority, lease, worker_id, headers, errors)"
              + " select gen_random_uuid(), 'q' || n % ?, 'k' || n % 10, s, 1, date_trunc('second', now()) + n / 500 * interval '1 s', now(), 1 + n % 4,"
              + " case when s = 'PROCESSING' then gen_random_uuid() end, case when s = 'PROCESSING' then md5((n % 3)::text)::uuid end,"
              + " jsonb_build_object('n', n::text), jsonb_build_array(jsonb_build_object('class', 'E', 'message', 'Broken ' || n || '.'))"
              + " from generate_series(1, ?) n, cast(? as dibs.task_status) s",
          queues, tasks, status.name());
  }

  private List<TaskRow> all(TaskFilter filter, int size, int look) {
    List<TaskRow> all = new ArrayList<>();
    Optional<Page.Cursor> after = Optional.empty();
    do {
      Page<TaskRow> page = list.list(connection, filter, after, size, look);
      assertThat(page.rows()).hasSizeLessThanOrEqualTo(size);
      all.addAll(page.rows());
      after = page.next();
    } while (after.isPresent());
    return all;
  }

  @ParameterizedTest
  @EnumSource
  void pages_holdEveryTaskOnceAlsoOfOneMoment(TaskStatus status) {
    fill(status, 1500, 7);
    List<TaskRow> all = all(TaskFilter.of(status), 100, LOOK);
    assertThat(new HashSet<>(all)).hasSize(1500);
    assertThat(all).hasSize(1500).allMatch(row -> row.status() == status);
    assertThat(all(TaskFilter.of(status).queue("q3"), 33, LOOK))
        .hasSize(214)
        .allMatch(row -> row.queue().equals("q3"));
  }

  /** Back from the end over rows of one moment: the pages that were seen on the way there. */
  @ParameterizedTest
  @EnumSource
  void pages_areTheSameOnTheWayBack(TaskStatus status) {
    fill(status, 600, 5);
    for (TaskFilter filter : List.of(TaskFilter.of(status), TaskFilter.of(status).queue("q3"))) {
      List<List<TaskRow>> there = new ArrayList<>();
      Page<TaskRow> page = list.list(connection, filter, Optional.empty(), 20, LOOK);
      assertThat(page.previous()).isEmpty();
      there.add(page.rows());
      while (page.next().isPresent()) {
        page = list.list(connection, filter, page.next(), 20, LOOK);
        there.add(page.rows());
      }
      List<List<TaskRow>> back = new ArrayList<>(List.of(page.rows()));
      while (page.previous().isPresent()) {
        page = list.listBack(connection, filter, page.previous(), 20, LOOK);
        back.addFirst(page.rows());
        assertThat(list.list(connection, filter, page.next(), 20, LOOK).rows())
            .as("and forth again")
            .isEqualTo(back.get(1));
      }
      assertThat(back).isEqualTo(there).hasSize(filter.queue().isPresent() ? 6 : 30);
    }
  }

  /** However few rows a look may take, nothing that matches is missed from the end. */
  @ParameterizedTest
  @EnumSource
  void aBoundedLookBack_goesOnWhereItEnded(TaskStatus status) {
    fill(status, 1000, 4);
    TaskFilter filter = TaskFilter.of(status).kind("k7").error("BROKEN 7");
    List<TaskRow> back = new ArrayList<>();
    Page<TaskRow> page = list.listBack(connection, filter, Optional.empty(), 5, 50);
    assertThat(page.next()).as("behind the end").isEmpty();
    back.addAll(page.rows());
    while (page.previous().isPresent()) {
      page = list.listBack(connection, filter, page.previous(), 5, 50);
      back.addAll(0, page.rows());
    }
    assertThat(back).hasSize(12).isEqualTo(all(filter, 50, LOOK));
  }

  /** However few rows a look may take, each match is found, and the end is said to be the end. */
  @ParameterizedTest
  @EnumSource
  void aBoundedLook_goesOnWhereItEnded(TaskStatus status) {
    fill(status, 1000, 4);
    TaskFilter filter = TaskFilter.of(status).kind("k7").error("BROKEN 7");
    int expected = 12; // 7, 77, 707 to 797
    assertThat(all(filter, 50, 50)).hasSize(expected).allMatch(row -> row.kind().equals("k7"));
    assertThat(all(filter, 5, LOOK)).hasSize(expected);
    Page<TaskRow> none =
        list.list(
            connection, TaskFilter.of(status).queue("q1").kind("none"), Optional.empty(), 5, 100);
    assertThat(none.rows()).isEmpty();
    assertThat(none.isLast()).isFalse();
    assertThat(none.looked()).isEqualTo(100);
    assertThat(all(TaskFilter.of(status).queue("q1").kind("none"), 5, 100)).isEmpty();
  }

  @Test
  void pending_isInTheOrderInWhichItRuns() {
    fill(TaskStatus.PENDING, 400, 3);
    List<TaskRow> all = all(TaskFilter.of(TaskStatus.PENDING), 37, LOOK);
    assertThat(all.stream().map(row -> (int) row.priority().level())).isSorted();
    List<String> ids = all.stream().map(row -> row.id().toString()).toList();
    assertThat(ids)
        .isEqualTo(
            List.of(
                String.valueOf(
                        db.value(
                            "select string_agg(id::text, ',' order by priority, position) from dibs.task"))
                    .split(",")));
    assertThat(all(TaskFilter.of(TaskStatus.PENDING).priority(Priority.HIGH), 9, LOOK))
        .hasSize(100)
        .allMatch(row -> row.priority() == Priority.HIGH);
  }

  @ParameterizedTest
  @EnumSource
  void filters_narrow(TaskStatus status) {
    fill(status, 1200, 2);
    TaskFilter all = TaskFilter.of(status);
    assertThat(all(all.header("n", "77"), 9, LOOK))
        .singleElement()
        .satisfies(row -> {
          assertThat(row.labels().headers()).containsEntry("n", "77");
          assertThat(row.lastError().orElseThrow().message()).isEqualTo("Broken 77.");
        });
    UUID worker = UUID.fromString(String.valueOf(db.value("select md5('1')::uuid")));
    assertThat(all(all.worker(worker), 100, LOOK))
        .hasSize(status == TaskStatus.PROCESSING ? 400 : 0);
    assertThat(all(all.priority(Priority.LOW).queue("q1"), 100, LOOK)).hasSize(300);
    List<TaskRow> some = list.list(connection, all, Optional.empty(), 3, LOOK).rows();
    assertThat(all(all.ids(some.stream().map(TaskRow::id).toList()), 2, LOOK))
        .containsExactlyInAnyOrderElementsOf(some);
    Instant long_ago = Instant.now().minus(Duration.ofDays(2));
    assertThat(all(all.until(long_ago), 9, LOOK)).isEmpty();
    assertThat(all(all.since(long_ago), 1000, LOOK)).hasSize(1200);
  }

  @Test
  void moreQueuesThanCanBeMerged_needOneOfThem() {
    fill(TaskStatus.PENDING, 400, 201);
    assertThatThrownBy(() -> all(TaskFilter.of(TaskStatus.PENDING), 9, LOOK))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("name one of them");
    assertThat(all(TaskFilter.of(TaskStatus.PENDING).queue("q7"), 9, LOOK)).hasSize(2);
  }

  @Test
  void aCursorOfAnotherList_isRefused() {
    for (String text : List.of("", "x", "!", Page.Cursor.of(List.of("a", "b")).text()))
      assertThatThrownBy(() ->
              list.list(
                  connection,
                  TaskFilter.of(TaskStatus.DEAD).queue("q"),
                  Optional.of(new Page.Cursor(text)),
                  9,
                  LOOK))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no cursor of this list");
  }

  /** What one page costs among many rows, by the blocks that are read. */
  private long buffers(org.jooq.Select<?> page, String index) throws SQLException {
    StringBuilder plan = new StringBuilder();
    try (var statement = connection.createStatement()) {
      statement.execute("set enable_seqscan = off; set enable_bitmapscan = off; set jit = off");
      try (var rows =
          statement.executeQuery(
              "explain (analyze, buffers, costs off, timing off) "
                  + Schema.DEFAULT.dsl().renderInlined(page))) {
        while (rows.next()) plan.append(rows.getString(1)).append('\n');
      }
    }
    assertThat(plan).contains(index).doesNotContain("Seq Scan");
    Matcher hit = Pattern.compile("shared hit=(\\d+)(?: read=(\\d+))?").matcher(plan);
    assertThat(hit.find()).isTrue();
    return Long.parseLong(hit.group(1)) + (hit.group(2) == null ? 0 : Long.parseLong(hit.group(2)));
  }

  @ParameterizedTest
  @EnumSource
  void aPage_costsAFewBlocksAmongManyWhereverItBegins(TaskStatus status) throws SQLException {
    fill(status, 24_000, 3);
    if (status == TaskStatus.DEAD) fill(TaskStatus.SUCCEEDED, 24_000, 3);
    db.execute("vacuum analyze dibs.task");
    db.execute("analyze dibs.task_history");
    String index =
        switch (status) {
          case PENDING -> "task_lane";
          case SCHEDULED -> "task_due";
          case PROCESSING -> "task_held";
          case BLOCKED -> "task_blocked";
          case SUCCEEDED, CANCELLED, DEAD -> "queue_finished_at";
        };
    TaskFilter filter = TaskFilter.of(status).queue("q1");
    // What others hold is no part of a worker's list; of a queue's it is looked at.
    UUID holder = UUID.fromString(String.valueOf(db.value("select md5('1')::uuid")));
    TaskFilter back = status == TaskStatus.PROCESSING ? filter.worker(holder) : filter;
    Optional<Page.Cursor> after = Optional.empty();
    for (int page = 0; page < 3; page++) {
      assertThat(buffers(ListTasks.text(filter, after, 50, LOOK), index)).isLessThan(400);
      assertThat(buffers(ListTasks.textBack(back, after, 50, LOOK), index)).isLessThan(400);
      after = list.list(connection, filter, after, 1000, LOOK).next();
    }
    // One that matches nothing costs what a look costs, and no more.
    assertThat(buffers(ListTasks.text(filter.kind("none"), Optional.empty(), 50, LOOK), index))
        .isLessThan(30_000);
  }
}
