package dev.dibs.chaos;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A process's own append-only record, one file a process. What was written stays when the process
 * is killed: the lines are with the kernel. Thread-safe.
 */
final class Recorder {
  private static final String SUFFIX = ".events";

  private final String process;
  // Not a channel: an interrupt, which handlers get, would close it.
  private final FileOutputStream file;

  private Recorder(String process, FileOutputStream file) {
    this.process = process;
    this.file = file;
  }

  static Recorder open(Path directory, String process) throws IOException {
    Path file = directory.resolve(process + SUFFIX);
    return new Recorder(process, new FileOutputStream(file.toFile(), true));
  }

  void write(Event.Type type, UUID task, int attempt, String detail) {
    var event = new Event(System.nanoTime(), process, type, task, attempt, detail);
    try {
      file.write(event.line().getBytes(StandardCharsets.UTF_8)); // one call: never half a line
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void write(Event.Type type, String detail) {
    write(type, Event.NO_TASK, 0, detail);
  }

  /** All events of all processes that recorded in {@code directory}, in the order of time. */
  static List<Event> readAll(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      List<Event> events = new ArrayList<>();
      for (Path file : files.filter(f -> f.toString().endsWith(SUFFIX)).toList()) {
        String name = file.getFileName().toString();
        String process = name.substring(0, name.length() - SUFFIX.length());
        String text = Files.readString(file);
        text.substring(0, text.lastIndexOf('\n') + 1)
            .lines()
            .forEach(line -> events.add(Event.parse(process, line)));
      }
      events.sort((one, other) -> Long.compare(one.at(), other.at()));
      return events;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
