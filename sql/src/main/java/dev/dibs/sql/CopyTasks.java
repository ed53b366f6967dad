package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import dev.dibs.Due;
import dev.dibs.TaskOptions;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Iterator;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
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
  private static final short COLUMNS = 8;
  private static final short END = -1;
  private static final int NULL = -1;
  private static final byte JSONB_VERSION = 1;

  private final String sql;

  public CopyTasks(Schema schema) {
    String columns =
        Stream.of(
                TASK.ID,
                TASK.QUEUE,
                TASK.KIND,
                TASK.PRIORITY,
                TASK.MAX_ATTEMPTS,
                TASK.TIMEOUT,
                TASK.PAYLOAD,
                TASK.HEADERS)
            .map(Named::getName)
            .collect(joining(", "));
    this.sql =
        "copy %s (%s) from stdin (format binary)".formatted(schema.dsl().render(TASK), columns);
  }

  /** Whether there is a PostgreSQL connection behind {@code connection}, whatever wraps it. */
  public static boolean canCopy(Connection connection) throws SQLException {
    return connection.isWrapperFor(PGConnection.class);
  }

  /** Whether tasks of these options can be copied: those without a delay or a run time. */
  public static boolean takes(TaskOptions options) {
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
    CopyIn copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn(sql);
    try {
      var out = new Binary(copy);
      out.bytes(SIGNATURE).integer(0).integer(0);
      while (rows.hasNext()) write(out, rows.next());
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
    out.small(COLUMNS)
        .uuid(row.id())
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

  /** The statement, for those who review it. */
  String sql() {
    return sql;
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
