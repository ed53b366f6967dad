package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.Due;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Priority;
import dev.dibs.TaskStatus;
import dev.dibs.sql.EditTask.Edit;
import dev.dibs.sql.EditTask.Found;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EditTaskTest {
  private static final Edit NOTHING =
      new Edit(Optional.empty(), Optional.empty(), Optional.empty());

  private final EditTask edit = new EditTask(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connectReadCommitted();
  private final NewTask<Json> task =
      Kind.json("k").task(new Json("1")).queue("q").delay(Duration.ofHours(1));

  EditTaskTest() throws SQLException {
    var row = new InsertTasks.Row(task.id(), "k", "1", null, task.options());
    new InsertTasks(Schema.DEFAULT).insert(connection, List.of(row));
  }

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  private static Edit due(Due due) {
    return new Edit(Optional.empty(), Optional.of(due), Optional.empty());
  }

  private Optional<Found> edit(Edit what) throws SQLException {
    return edit.editIfWaiting(connection, task.id(), what);
  }

  private String row() {
    return String.valueOf(
        db.value(
            "select concat_ws('|', status, payload, priority, run_at > now() + interval '59 min') from dibs.task"));
  }

  @Test
  void whatIsNotSaid_stays() throws SQLException {
    assertThat(edit(NOTHING)).contains(new Found(TaskStatus.SCHEDULED, true));
    assertThat(row()).isEqualTo("SCHEDULED|1|3|t");
    edit(new Edit(Optional.of("{\"a\":2}"), Optional.empty(), Optional.empty()));
    assertThat(row()).isEqualTo("SCHEDULED|{\"a\": 2}|3|t");
  }

  @Test
  void anotherRunTime_makesItReadyOrNot() throws SQLException {
    long before = db.number("select position from dibs.task");
    assertThat(edit(due(new Due.Now()))).contains(new Found(TaskStatus.PENDING, true));
    assertThat(db.number("select position from dibs.task")).isGreaterThan(before);
    assertThat(edit(due(new Due.After(Duration.ofHours(2)))))
        .contains(new Found(TaskStatus.SCHEDULED, true));
    assertThat(row()).isEqualTo("SCHEDULED|1|3|t");
    assertThat(edit(due(new Due.At(Instant.EPOCH)))).contains(new Found(TaskStatus.PENDING, true));
    assertThat(db.number("select count(*) from dibs.task where run_at > now() - interval '1 min'"))
        .isEqualTo(1);
  }

  @Test
  void anotherPriority_isAnotherPlaceInLine() throws SQLException {
    edit(due(new Due.Now()));
    long before = db.number("select position from dibs.task");
    Edit urgent = new Edit(Optional.empty(), Optional.empty(), Optional.of(Priority.URGENT));
    assertThat(edit(urgent)).contains(new Found(TaskStatus.PENDING, true));
    assertThat(db.number("select priority from dibs.task")).isEqualTo(1);
    long moved = db.number("select position from dibs.task");
    assertThat(moved).isGreaterThan(before);
    edit(urgent);
    assertThat(db.number("select position from dibs.task")).isEqualTo(moved);
  }

  @Test
  void aTaskThatRunsOrHasEnded_isLeft() throws SQLException {
    db.execute(
        "update dibs.task set status = 'PROCESSING', attempt = 1, lease = gen_random_uuid(), worker_id = gen_random_uuid()");
    assertThat(edit(due(new Due.Now()))).contains(new Found(TaskStatus.PROCESSING, false));
    new CancelTask(Schema.DEFAULT).cancel(connection, task.id(), "why");
    assertThat(edit(due(new Due.Now()))).contains(new Found(TaskStatus.CANCELLED, false));
    assertThat(edit.editIfWaiting(connection, UUID.randomUUID(), NOTHING)).isEmpty();
  }
}
