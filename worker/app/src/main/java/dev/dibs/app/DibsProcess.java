package dev.dibs.app;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How this program starts itself again as another process on the same database: with the same Java
 * and class path, what must stay secret in the environment, and an end when this process ends.
 */
final class DibsProcess {
  /** A small heap and a quick start: such processes come in numbers. */
  private static final List<String> JVM_OPTIONS =
      List.of(
          "-Xmx192m",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-XX:-UsePerfData",
          "-Dorg.jooq.no-logo=true",
          "-Dorg.jooq.no-tips=true");

  private DibsProcess() {}

  /** The process that runs {@code dibs} with these arguments, its output discarded; not started. */
  static ProcessBuilder of(Database database, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(JVM_OPTIONS);
    command.add("-D" + ParentWatch.PARENT + "=" + ProcessHandle.current().pid());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Dibs.class.getName()));
    command.addAll(arguments);
    var builder = new ProcessBuilder(command);
    builder
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD);
    var environment = builder.environment();
    environment.keySet().removeIf(key -> key.startsWith("DIBS_"));
    environment.put("DIBS_DATABASE_URL", database.url().jdbc());
    environment.put("DIBS_SCHEMA", database.schema().name());
    database.url().user().ifPresent(user -> environment.put("DIBS_DATABASE_USER", user));
    database
        .url()
        .password()
        .ifPresent(secret -> environment.put("DIBS_DATABASE_PASSWORD", secret));
    return builder;
  }
}
