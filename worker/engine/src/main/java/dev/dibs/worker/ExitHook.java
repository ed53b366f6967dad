package dev.dibs.worker;

/** Has something done when this JVM ends, also when a signal ends it. Thread-safe. */
final class ExitHook {
  private final Thread thread;

  private ExitHook(Thread thread) {
    this.thread = thread;
  }

  /**
   * Adds the hook.
   *
   * @throws IllegalStateException if the JVM ends already
   */
  static ExitHook add(Runnable atExit) {
    var thread = new Thread(atExit, "dibs-exit");
    Runtime.getRuntime().addShutdownHook(thread);
    return new ExitHook(thread);
  }

  /** There is nothing left to do at the end. */
  void remove() {
    try {
      Runtime.getRuntime().removeShutdownHook(thread);
    } catch (IllegalStateException e) { // this is the end
    }
  }
}
