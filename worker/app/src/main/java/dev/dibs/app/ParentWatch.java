package dev.dibs.app;

/**
 * Ends this JVM when the launcher that started it is gone, so that a killed {@code dibs} leaves
 * nothing running.
 */
final class ParentWatch {
  static final String PARENT = "dibs.parent";

  private ParentWatch() {}

  /** Watches the process that the system property names, if it is set. */
  static void start() {
    Long pid = Long.getLong(PARENT);
    if (pid == null) return;
    Thread.ofPlatform().daemon().name("dibs-parent").start(() -> endWith(pid));
  }

  private static void endWith(long pid) {
    ProcessHandle.of(pid).ifPresent(parent -> parent.onExit().join());
    System.exit(Errors.FAILED);
  }
}
