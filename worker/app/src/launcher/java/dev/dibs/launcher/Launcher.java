package dev.dibs.launcher;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Starts {@code dibs} on Java 21 or newer, also when the {@code java} that was called is older.
 *
 * <p>Java 8 byte code. Where this JVM is too old it becomes the parent of a newer one: signals,
 * standard streams and the exit code pass through.
 */
public final class Launcher {
  static final int NEEDED = 21;
  private static final String MAIN = "dev.dibs.app.Dibs";
  private static final String LIBRARY = "picocli/CommandLine.class";
  private static final String[] QUIET = {"org.jooq.no-logo", "org.jooq.no-tips"};

  private Launcher() {}

  public static void main(String[] args) throws Exception {
    if (Launcher.class.getClassLoader().getResource(LIBRARY) == null) {
      System.err.println(
          "dibs: the directory lib is missing, it belongs beside dibs.jar; copy both from worker/app/target");
      System.exit(1);
      return;
    }
    int version = JavaHome.majorOf(System.getProperty("java.version"));
    if (version >= NEEDED) {
      runHere(args);
      return;
    }
    JavaHome home = JavaHome.best(JavaHome.installed(System.getenv()), NEEDED);
    if (home == null) {
      System.err.println(
          "dibs: Java "
              + NEEDED
              + " or newer is needed, this is Java "
              + version
              + " and no newer one was found; install a JDK "
              + NEEDED
              + "+ or set JAVA_HOME to one");
      System.exit(1);
      return;
    }
    System.exit(runOn(home, args));
  }

  private static void runHere(String[] args) throws ReflectiveOperationException {
    for (String property : QUIET) System.setProperty(property, "true");
    try {
      Class.forName(MAIN).getMethod("main", String[].class).invoke(null, (Object) args);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof RuntimeException) throw (RuntimeException) e.getCause();
      if (e.getCause() instanceof Error) throw (Error) e.getCause();
      throw e;
    }
  }

  private static int runOn(JavaHome home, String[] args) throws IOException, InterruptedException {
    final Process child = new ProcessBuilder(command(home, args)).inheritIO().start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> end(child), "dibs-launcher-end"));
    return child.waitFor();
  }

  static List<String> command(JavaHome home, String[] args) {
    List<String> command = new ArrayList<>();
    command.add(home.executable().getPath());
    for (String property : QUIET) command.add("-D" + property + "=true");
    command.add("--enable-native-access=ALL-UNNAMED");
    String pid = pid();
    if (!pid.isEmpty()) command.add("-Ddibs.parent=" + pid);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(MAIN);
    command.addAll(Arrays.asList(args));
    return command;
  }

  /** Java 8 has no ProcessHandle; every JVM we know names itself pid@host. */
  private static String pid() {
    String name = ManagementFactory.getRuntimeMXBean().getName();
    int at = name.indexOf('@');
    String pid = at < 0 ? "" : name.substring(0, at);
    return pid.matches("\\d+") ? pid : "";
  }

  /** Runs while this JVM ends: it must not end before its child did. */
  private static void end(Process child) {
    child.destroy();
    try {
      child.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
