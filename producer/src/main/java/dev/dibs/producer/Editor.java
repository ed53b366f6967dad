package dev.dibs.producer;

import dev.dibs.DatabaseException;
import dev.dibs.PayloadException;
import dev.dibs.sql.EditTask;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Changes tasks that wait: their payload, when they run, and how urgent they are; in the caller's
 * transaction or on a connection of its own.
 *
 * <p>A task that runs or has ended is left as it is, and the answer says so. Takes a user who is a
 * member of the worker role. Thread-safe; holds nothing that would have to be closed.
 */
public final class Editor {
  private final DataSource dataSource;
  private final Surrounding surrounding;
  private final TaskEncoder encoder;
  private final Schema schema;
  private final EditTask edit;

  private Editor(DataSource dataSource, ProducerSettings settings) {
    this.dataSource = dataSource;
    this.surrounding = new Surrounding(dataSource);
    this.encoder = new TaskEncoder(settings);
    this.schema = settings.schema();
    this.edit = new EditTask(schema);
  }

  /** An editor with the usual settings. */
  public static Editor on(DataSource dataSource) {
    return on(dataSource, ProducerSettings.DEFAULT);
  }

  /** Of the settings those that say how payloads are kept, and where. */
  public static Editor on(DataSource dataSource, ProducerSettings settings) {
    return new Editor(dataSource, settings);
  }

  /**
   * Edits a task on a connection of the data source, in a transaction of its own.
   *
   * @return what was found; empty: there is no such task, or its history was pruned
   * @throws PayloadException if the payload cannot be kept; nothing was changed
   * @throws DatabaseException if the database cannot answer; repeat the call then
   */
  public Optional<EditTask.Found> edit(UUID id, Edit edit) {
    EditTask.Edit encoded = encode(id, edit);
    return surrounding
        .join(failure(id), connection -> editOn(connection, id, encoded))
        .orElseGet(() -> editAlone(id, encoded));
  }

  private Optional<EditTask.Found> editAlone(UUID id, EditTask.Edit edit) {
    try (Lent lent = Lent.from(dataSource)) {
      return editOn(lent.connection(), id, edit);
    } catch (SQLException e) {
      throw failed(id, e);
    }
  }

  /**
   * Edits a task in the transaction of {@code connection}: it is changed when the caller commits.
   * Until then the task is locked, and not claimed.
   *
   * @return as {@link #edit(UUID, Edit)}
   * @throws PayloadException if the payload cannot be kept; the transaction can go on
   * @throws DatabaseException if the database refused; the transaction is to be rolled back
   */
  public Optional<EditTask.Found> edit(Connection connection, UUID id, Edit edit) {
    EditTask.Edit encoded = encode(id, edit);
    try {
      return editOn(connection, id, encoded);
    } catch (SQLException e) {
      throw failed(id, e);
    }
  }

  private Optional<EditTask.Found> editOn(Connection connection, UUID id, EditTask.Edit edit)
      throws SQLException {
    return Rights.asWorker(
        schema, "editing", connection, there -> this.edit.editIfWaiting(there, id, edit));
  }

  private EditTask.Edit encode(UUID id, Edit edit) {
    return new EditTask.Edit(
        edit.payload()
            .map(payload -> encoder.encodePayload(() -> "the new payload of task " + id, payload)),
        edit.due(),
        edit.priority());
  }

  private static DatabaseException failed(UUID id, SQLException e) {
    return new DatabaseException(failure(id), e);
  }

  private static String failure(UUID id) {
    return "task %s could not be edited".formatted(id);
  }
}
