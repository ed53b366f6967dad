package dev.dibs.app;

import dev.dibs.Codec;
import dev.dibs.DibsException;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads the tasks of a request's body: one JSON object, or one a line. All of them are good, in
 * queues that the token covers, or the first bad one is named. Immutable.
 */
final class TaskReader {
  private static final TaskLine LINE =
      new TaskLine(Kind.json("unnamed").task(new Json("{}")), new UniqueOptions(), false)
          .takingIds();

  private final int maxPayload;

  TaskReader(int maxPayload) {
    this.maxPayload = maxPayload;
  }

  /**
   * @throws Problem if it is no task, or one that the token does not cover
   */
  NewTask<Json> one(byte[] body, Token token) {
    return task("task", () -> utf8(body), token);
  }

  /**
   * @throws Problem if a line is no task, or one that the token does not cover
   */
  List<NewTask<Json>> many(byte[] body, Token token) {
    List<NewTask<Json>> tasks = new ArrayList<>();
    Set<UUID> ids = new HashSet<>();
    var lines = new LineReader(new ByteArrayInputStream(body));
    try {
      while (lines.next()) {
        String line = "line " + lines.number();
        String text = decoded(line, lines);
        if (text == null) continue;
        NewTask<Json> task = task(line, () -> text, token);
        if (!ids.add(task.id())) throw invalid(line, "repeats the id of another line");
        tasks.add(task);
        if (tasks.size() > GatewaySettings.MOST_TASKS)
          throw Problem.of(
              ProblemType.TOO_LARGE,
              "a request takes at most %d tasks; send several"
                  .formatted(GatewaySettings.MOST_TASKS));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (tasks.isEmpty())
      throw Problem.of(ProblemType.INVALID_TASK, "there is no task in it; send one a line");
    return tasks;
  }

  private static @Nullable String decoded(String line, LineReader lines) {
    try {
      return lines.text();
    } catch (DibsException e) {
      throw invalid(line, String.valueOf(e.getMessage()));
    }
  }

  private NewTask<Json> task(String where, Supplier<String> text, Token token) {
    NewTask<Json> task;
    try {
      task = LINE.parse(text.get());
    } catch (DibsException e) {
      throw invalid(where, String.valueOf(e.getMessage()));
    }
    checkQueue(where, task, token);
    checkSize(where, task);
    return task;
  }

  private static void checkQueue(String where, NewTask<Json> task, Token token) {
    String queue = task.options().queue();
    if (token.covers(queue)) return;
    throw Problem.of(
        ProblemType.FOREIGN_QUEUE,
        "%s: token '%s' does not cover queue '%s', it covers %s; use one that does"
            .formatted(where, token.name(), queue, String.join(", ", token.queues())));
  }

  private void checkSize(String where, NewTask<Json> task) {
    int bytes = task.payload().text().getBytes(StandardCharsets.UTF_8).length;
    if (bytes > maxPayload)
      throw Problem.of(
          ProblemType.TOO_LARGE,
          "%s: the payload has %d bytes, at most %d are taken; keep large data elsewhere and enqueue a reference to it"
              .formatted(where, bytes, maxPayload));
  }

  /** Which of {@code tasks} it is that was refused as {@code reason} says. */
  static Problem refused(List<NewTask<Json>> tasks, PayloadException reason) {
    for (int i = 0; i < tasks.size() && tasks.size() > 1; i++) {
      try {
        Codec.jackson().encode(tasks.get(i).payload());
        Codec.jackson().encode(tasks.get(i).options().headers());
      } catch (PayloadException e) {
        return invalid("task " + (i + 1), String.valueOf(e.getMessage()));
      }
    }
    return invalid("task", String.valueOf(reason.getMessage()));
  }

  private static Problem invalid(String where, String reason) {
    return Problem.of(ProblemType.INVALID_TASK, where + ": " + reason);
  }

  private static String utf8(byte[] body) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
    } catch (CharacterCodingException e) {
      throw new DibsException("is not valid UTF-8", e);
    }
  }
}
