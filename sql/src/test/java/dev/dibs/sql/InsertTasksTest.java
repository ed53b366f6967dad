package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class InsertTasksTest {
  private final InsertTasks insert = new InsertTasks(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();
  private final Connection connection = db.connect();

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  private static NewTask<Json> task(String json) {
    return Kind.json("mail").task(new Json(json)).queue("q");
  }

  private static List<InsertTasks.Row> rows(NewTask<?>... tasks) {
    return Stream.of(tasks)
        .map(task ->
            new InsertTasks.Row(
                task.id(), "mail", ((Json) task.payload()).text(), null, task.options()))
        .toList();
  }

  @Test
  void insertAlone_answersWhatItInserted() throws SQLException {
    NewTask<Json> one = task("1");
    assertThat(insert.insertAlone(connection, rows(one))).containsExactly(one.id());
    NewTask<Json> two = task("2");
    NewTask<Json> three = task("3");
    assertThat(insert.insertAlone(connection, rows(three, two)))
        .containsExactlyInAnyOrder(two.id(), three.id());
    assertThat(db.tasks("PENDING")).isEqualTo(3);
  }

  @Test
  void insertAlone_leavesAloneWhatIsThereAndTheConnectionUsable() throws SQLException {
    NewTask<Json> there = task("1");
    NewTask<Json> other = task("2");
    insert.insertAlone(connection, rows(there));
    for (int n = 0; n < 10; n++) // beyond the driver's first executions: prepared on the server
    assertThat(insert.insertAlone(connection, rows(there))).isEmpty();
    assertThat(insert.insertAlone(connection, rows(there, other))).containsExactly(other.id());
    assertThat(insert.insertAlone(connection, rows(there, other))).isEmpty();
    assertThat(connection.getAutoCommit()).isTrue();
    assertThat(db.value("select payload::text from dibs.task where id = ?", there.id()))
        .isEqualTo("1");
    assertThat(db.tasks("PENDING")).isEqualTo(2);
  }

  @Test
  void insertAlone_insertsAnIdOnceThatComesTwice() throws SQLException {
    NewTask<Json> twice = task("1");
    assertThat(insert.insertAlone(connection, rows(twice, task("2"), twice))).hasSize(2);
    assertThat(db.tasks("PENDING")).isEqualTo(2);
  }

  @Test
  void insertAlone_passesOtherRefusalsOn() {
    for (var rows : List.of(rows(task("{")), rows(task("1"), task("{")))) {
      assertThatThrownBy(() -> insert.insertAlone(connection, rows))
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("22P02"));
    }
    assertThat(db.tasks("PENDING")).isZero();
  }

  @Test
  void insertAlone_takesTasksThatAreNotReady() throws SQLException {
    NewTask<Json> later = task("1").delay(Duration.ofHours(1));
    NewTask<Json> bounded = task("2").timeout(Duration.ofSeconds(3));
    NewTask<Json> ready = task("3");
    for (var expected : List.of(List.of(later.id(), bounded.id(), ready.id()), List.<UUID>of()))
      assertThat(insert.insertAlone(connection, rows(later, bounded, ready)))
          .containsExactlyInAnyOrderElementsOf(expected);
    assertThat(db.tasks("SCHEDULED")).isEqualTo(1);
    assertThat(db.number("select count(*) from dibs.task where timeout = interval '3 s'"))
        .isEqualTo(1);
  }

  @Test
  void insert_ofWhatIsThereLeavesTheTransactionUsable() throws SQLException {
    NewTask<Json> ready = task("1");
    NewTask<Json> later = task("2").delay(Duration.ofHours(1));
    insert.insertAlone(connection, rows(ready, later));
    connection.setAutoCommit(false);
    assertThat(insert.insert(connection, rows(ready))).isEmpty();
    NewTask<Json> other = task("3");
    assertThat(insert.insert(connection, rows(ready, other))).containsExactly(other.id());
    assertThat(insert.insert(connection, rows(ready, later, other))).isEmpty();
    connection.commit();
    assertThat(db.tasks("PENDING")).isEqualTo(2);
  }
}
