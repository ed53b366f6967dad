package dev.dibs.chaos;

import java.util.UUID;

/**
 * A line of a process's own record.
 *
 * @param at of the monotonic clock that all processes of one boot share, in nanoseconds
 * @param attempt zero where the event is not about a run
 * @param detail without blanks, or empty
 */
record Event(long at, String process, Type type, UUID task, int attempt, String detail) {
  /** What happened. Words with a question before a call, those that answer it after. */
  enum Type {
    /** The worker has registered; the detail is its id. */
    READY,
    /** About to enqueue; the detail names the call, which several tasks may share. */
    ENQUEUE,
    ENQUEUED,
    ENQUEUE_UNKNOWN,
    /** The call said that nothing was enqueued. */
    ENQUEUE_REFUSED,
    /** A handler begins. */
    START,
    /** An effect outside the database. */
    EFFECT,
    /** About to commit effects and completion together. */
    COMMIT,
    COMMITTED,
    COMMIT_LOST,
    COMMIT_UNKNOWN,
    /** A handler ends; the detail is what it answers. */
    END,
    /** So many outcomes were refused so far, says the process's meter. */
    REFUSED
  }

  /** For events that are about no task. */
  static final UUID NO_TASK = new UUID(0, 0);

  static Event parse(String process, String line) {
    String[] words = line.split(" ", -1);
    return new Event(
        Long.parseLong(words[0]),
        process,
        Type.valueOf(words[1]),
        UUID.fromString(words[2]),
        Integer.parseInt(words[3]),
        words[4]);
  }

  String line() {
    return at + " " + type + " " + task + " " + attempt + " " + detail.replace(' ', '_') + "\n";
  }

  boolean is(Type other) {
    return type == other;
  }
}
