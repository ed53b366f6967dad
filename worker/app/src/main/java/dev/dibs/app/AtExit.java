package dev.dibs.app;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * What must happen before this JVM ends, also when a signal ends it: the last added first, one
 * after the other.
 *
 * <p>Shutdown hooks of their own would run at once and side by side, so that the embedded database
 * could be gone before the worker has drained. The lock guards {@code actions}; it is not held
 * while they run. Thread-safe.
 */
final class AtExit {
  private static final Deque<Runnable> ACTIONS = new ArrayDeque<>();
  private static boolean hooked;

  private AtExit() {}

  /** Runs {@code action} when this JVM ends, unless it was removed before. */
  static void add(Runnable action) {
    synchronized (ACTIONS) {
      if (!hooked) Runtime.getRuntime().addShutdownHook(new Thread(AtExit::runAll, "dibs-exit"));
      hooked = true;
      ACTIONS.push(action);
    }
  }

  static void remove(Runnable action) {
    synchronized (ACTIONS) {
      ACTIONS.remove(action);
    }
  }

  private static void runAll() {
    for (Runnable action = next(); action != null; action = next()) {
      try {
        action.run();
      } catch (RuntimeException e) {
        System.err.println(
            "dibs: while ending: "
                + e.getMessage()); // the outermost frame: the others must still run
      }
    }
  }

  private static @Nullable Runnable next() {
    synchronized (ACTIONS) {
      return ACTIONS.poll();
    }
  }
}
