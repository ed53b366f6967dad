package dev.dibs.producer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import dev.dibs.Priority;
import dev.dibs.TaskStatus;
import dev.dibs.sql.EditTask.Found;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tasks that wait are edited and called off, alone and in the caller's transaction. */
@Timeout(60)
class EditorTest {
  record Mail(String to) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final Editor editor = Editor.on(db.workerDataSource());
  private final NewTask<Mail> task = MAIL.task(new Mail("you")).queue("q").unique("k");

  EditorTest() {
    producer.enqueue(task);
  }

  @AfterEach
  void drop() {
    producer.close();
    db.close();
  }

  @Test
  void edit_changesPayloadTimeAndPriority() {
    Edit edit = Edit.payload(new Mail("them")).delay(Duration.ofHours(1)).priority(Priority.URGENT);
    assertThat(editor.edit(task.id(), edit)).contains(new Found(TaskStatus.SCHEDULED, true));
    assertThat(db.value("select concat_ws('|', payload, priority, status) from dibs.task"))
        .isEqualTo("{\"to\": \"them\"}|1|SCHEDULED");
    assertThat(editor.edit(task.id(), Edit.NONE.now()))
        .contains(new Found(TaskStatus.PENDING, true));
  }

  @Test
  void edit_inTheCallersTransactionLivesAndDiesWithIt() throws SQLException {
    try (Connection connection = db.connectWorker()) {
      connection.setAutoCommit(false);
      editor.edit(connection, task.id(), Edit.payload(new Mail("a")));
      connection.rollback();
      assertThat(db.value("select payload ->> 'to' from dibs.task")).isEqualTo("you");
      editor.edit(connection, task.id(), Edit.payload(new Mail("b")));
      connection.commit();
    }
    assertThat(db.value("select payload ->> 'to' from dibs.task")).isEqualTo("b");
  }

  @Test
  void edit_refusesWhatAnEnqueueWouldRefuse() throws SQLException {
    try (Connection connection = db.connectWorker()) {
      connection.setAutoCommit(false);
      assertThatThrownBy(
              () -> editor.edit(connection, task.id(), Edit.payload(new Json("\"\\u0000secret\""))))
          .isInstanceOf(PayloadException.class)
          .hasMessageNotContaining("secret");
      assertThatThrownBy(() ->
              editor.edit(
                  connection, task.id(), Edit.payload(new Json('"' + "x".repeat(300_000) + '"'))))
          .isInstanceOf(PayloadException.class)
          .hasMessageContaining("the new payload of task " + task.id() + " has 300002 bytes");
      assertThat(editor.edit(connection, task.id(), Edit.NONE)).isPresent();
      connection.commit();
    }
    assertThat(Edit.payload("secret").toString()).doesNotContain("secret");
  }

  @Test
  void cancelUnique_callsOffWhatHoldsTheKey() throws SQLException {
    Canceller canceller = Canceller.on(db.workerDataSource());
    assertThat(canceller.cancelUnique("other", "k", "why")).isEmpty();
    db.execute(
        "update dibs.task set status = 'PROCESSING', attempt = 1, lease = gen_random_uuid(), worker_id = gen_random_uuid()");
    NewTask<Mail> successor =
        MAIL.task(new Mail("next"))
            .queue("q")
            .unique(dev.dibs.Unique.by("k").onConflict(dev.dibs.OnConflict.REPLACE));
    producer.enqueue(successor);
    try (Connection connection = db.connectWorker()) {
      connection.setAutoCommit(false);
      canceller.cancelUnique(connection, "q", "k", "why");
      connection.rollback();
    }
    assertThat(canceller.cancelUnique("q", "k", "why"))
        .containsOnlyKeys(task.id(), successor.id())
        .containsEntry(task.id(), TaskStatus.PROCESSING);
    assertThat(db.finished("CANCELLED")).isEqualTo(2);
    assertThat(producer.enqueue(task.queue("q")).inserted()).isTrue();
  }
}
