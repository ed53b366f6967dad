package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import dev.dibs.Due;
import dev.dibs.TaskOptions;
import dev.dibs.Unique;
import dev.dibs.UniqueScope;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jooq.Field;
import org.jooq.Named;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * Copies tasks that may run at once into task: the fastest way in, and the strictest, for one id
 * that is there already refuses them all.
 *
 * <p>COPY takes values, not expressions, so status, run_at and created_at are the table's defaults,
 * by the database's clock; tasks with a delay or a run time need {@link InsertTasks}. Index: all of
 * task. Locks: the new rows, in the order they come. One statement per call, streamed, so no more
 * than a chunk is held here. Thread-safe. Source: PostgreSQL manual, COPY, "Binary Format".
 */
public final class CopyTasks {
  private static final int CHUNK_BYTES = 64 << 10;

  private static final byte[] SIGNATURE = {
    'P', 'G', 'C', 'O', 'P', 'Y', '\n', (byte) 0xFF, '\r', '\n', 0
  };
  private static final short END = -1;
  private static final int NULL = -1;
  private static final byte JSONB_VERSION = 1;

  private static final List<Field<?>> PLAIN =
      List.of(
          TASK.ID,
          TASK.QUEUE,
          TASK.KIND,
          TASK.PRIORITY,
          TASK.MAX_ATTEMPTS,
          TASK.TIMEOUT,
          TASK.PAYLOAD,
          TASK.HEADERS);

  private static final List<Field<?>> UNIQUE = List.of(TASK.UNIQUE_KEY, TASK.UNIQUE_HOLD);

  private final String plain;
  private final String unique;

  public CopyTasks(Schema schema) {
    this.plain = sql(schema, PLAIN);
    this.unique = sql(schema, Stream.concat(PLAIN.stream(), UNIQUE.stream()).toList());
  }

  private static String sql(Schema schema, List<Field<?>> columns) {
    String names = columns.stream().map(Named::getName).collect(joining(", "));
    return "copy %s (%s) from stdin (format binary)".formatted(schema.dsl().render(TASK), names);
  }

  /** Whether there is a PostgreSQL connection behind {@code connection}, whatever wraps it. */
  public static boolean canCopy(Connection connection) throws SQLException {
    return connection.isWrapperFor(PGConnection.class);
  }

  /**
   * Whether tasks of these options can be copied: those without a delay or a run time, and without
   * a window for their unique key.
   */
  public static boolean takes(TaskOptions options) {
    if (options.unique().isPresent()
        && options.unique().get().scope() instanceof UniqueScope.Window) return false;
    return switch (options.due()) {
      case Due.Now now -> true;
      case Due.After after -> false;
      case Due.At at -> false;
    };
  }

  /**
   * Copies in the transaction of {@code connection}, all or none; what {@code rows} throws comes
   * through, and nothing was copied then.
   *
   * @param rows each one that {@link #takes} answers true for
   * @throws SQLException of state 23505 if an id is there already; the transaction is aborted then
   */
  public void copy(Connection connection, Iterator<InsertTasks.Row> rows) throws SQLException {
    copy(connection, plain, rows);
  }

  /**
   * As {@link #copy}, where some are unique; the state is 23505 also if a key is held, by whatever
   * is there or by two of them.
   */
  public void copyUnique(Connection connection, Iterator<InsertTasks.Row> rows)
      throws SQLException {
    copy(connection, unique, rows);
  }

  private void copy(Connection connection, String sql, Iterator<InsertTasks.Row> rows)
      throws SQLException {
    boolean withKeys = sql.equals(unique);
    CopyIn copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn(sql);
    try {
      var out = new Binary(copy);
      out.bytes(SIGNATURE).integer(0).integer(0);
      while (rows.hasNext()) {
        InsertTasks.Row row = rows.next();
        out.small((short) (PLAIN.size() + (withKeys ? UNIQUE.size() : 0)));
        write(out, row);
        if (withKeys) writeKey(out, row.options().unique());
      }
      out.small(END).flush();
      copy.endCopy();
    } finally {
      if (copy.isActive()) copy.cancelCopy();
    }
  }

  private static void write(Binary out, InsertTasks.Row row) throws SQLException {
    TaskOptions options = row.options();
    if (!takes(options))
      throw new IllegalArgumentException("only a task without a due time is copied: " + row.id());
    out.uuid(row.id())
        .text(options.queue())
        .text(row.kind())
        .integer(Short.BYTES)
        .small(options.priority().level())
        .integer(Integer.BYTES)
        .integer(options.maxAttempts())
        .interval(options.timeout())
        .json(row.payload())
        .json(row.headers());
  }

  private static void writeKey(Binary out, Optional<Unique> unique) throws SQLException {
    if (unique.isEmpty()) out.integer(NULL).bool(false);
    else out.text(unique.get().givenKey()).bool(unique.get().holdsToTheEnd());
  }

  /** The statement for tasks that are not unique, for those who review it. */
  String sql() {
    return plain;
  }

  /** Fields in PostgreSQL's binary format, sent a chunk at a time. Used by one call alone. */
  private static final class Binary {
    private final CopyIn copy;
    private final byte[] bytes = new byte[CHUNK_BYTES];
    private final ByteBuffer chunk = ByteBuffer.wrap(bytes);

    Binary(CopyIn copy) {
      this.copy = copy;
    }

    Binary small(short value) throws SQLException {
      room(Short.BYTES).putShort(value);
      return this;
    }

    Binary integer(int value) throws SQLException {
      room(Integer.BYTES).putInt(value);
      return this;
    }

    Binary uuid(UUID id) throws SQLException {
      integer(2 * Long.BYTES);
      room(2 * Long.BYTES)
          .putLong(id.getMostSignificantBits())
          .putLong(id.getLeastSignificantBits());
      return this;
    }

    Binary bool(boolean value) throws SQLException {
      integer(1);
      room(1).put((byte) (value ? 1 : 0));
      return this;
    }

    Binary text(String text) throws SQLException {
      byte[] bytes = text.getBytes(UTF_8);
      return integer(bytes.length).bytes(bytes);
    }

    Binary json(@Nullable String json) throws SQLException {
      if (json == null) return integer(NULL);
      byte[] bytes = json.getBytes(UTF_8);
      integer(1 + bytes.length);
      room(1).put(JSONB_VERSION);
      return bytes(bytes);
    }

    /** Microseconds, days and months; a duration is microseconds only. */
    Binary interval(Optional<Duration> duration) throws SQLException {
      if (duration.isEmpty()) return integer(NULL);
      integer(Long.BYTES + 2 * Integer.BYTES);
      room(Long.BYTES).putLong(Time.micros(duration.get()));
      return integer(0).integer(0);
    }

    Binary bytes(byte[] bytes) throws SQLException {
      if (bytes.length <= CHUNK_BYTES) {
        room(bytes.length).put(bytes);
      } else {
        flush();
        copy.writeToCopy(bytes, 0, bytes.length);
      }
      return this;
    }

    private ByteBuffer room(int bytes) throws SQLException {
      if (chunk.remaining() < bytes) flush();
      return chunk;
    }

    void flush() throws SQLException {
      copy.writeToCopy(bytes, 0, chunk.position());
      chunk.clear();
    }
  }
}
