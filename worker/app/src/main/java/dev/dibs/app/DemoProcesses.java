package dev.dibs.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The worker processes of the demo: real JVMs, started, killed and stopped. Owned by the demo's
 * thread.
 */
final class DemoProcesses implements AutoCloseable {
  /** What every process is told. */
  record Plan(
      Database database,
      String queue,
      String demoSchema,
      int concurrency,
      Duration lease,
      boolean naive) {}

  /** One process and what became of it. */
  record Member(String name, Process process) {
    long pid() {
      return process.pid();
    }
  }

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Plan plan;
  private final List<Member> members = new ArrayList<>();
  private final Runnable atExit = this::killAll;

  DemoProcesses(Plan plan) {
    this.plan = plan;
    AtExit.add(atExit);
  }

  /** Starts one more. */
  Member start() {
    String name = "w" + (members.size() + 1);
    try {
      Member member = new Member(name, builder(name).start());
      members.add(member);
      return member;
    } catch (IOException e) {
      throw new UncheckedIOException("worker process " + name + " cannot be started", e);
    }
  }

  private ProcessBuilder builder(String name) {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    List<String> command =
        new ArrayList<>(
            List.of(
                java.toString(),
                "-Xmx192m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-Dorg.jooq.no-logo=true",
                "-Dorg.jooq.no-tips=true",
                "-Ddibs.parent=" + ProcessHandle.current().pid(),
                "-cp",
                System.getProperty("java.class.path"),
                Dibs.class.getName(),
                "demo-worker",
                "--process=" + name,
                "--queue=" + plan.queue(),
                "--demo-schema=" + plan.demoSchema(),
                "--concurrency=" + plan.concurrency(),
                "--schema=" + plan.database().schema().name(),
                "--lease=" + plan.lease().toMillis() + "ms"));
    if (plan.naive()) command.add("--naive");
    var builder = new ProcessBuilder(command);
    builder
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD);
    var environment = builder.environment();
    environment.keySet().removeIf(key -> key.startsWith("DIBS_"));
    environment.put("DIBS_DATABASE_URL", plan.database().url().jdbc());
    plan.database().url().user().ifPresent(user -> environment.put("DIBS_DATABASE_USER", user));
    plan.database()
        .url()
        .password()
        .ifPresent(secret -> environment.put("DIBS_DATABASE_PASSWORD", secret));
    return builder;
  }

  /** Kills a process with SIGKILL: it can neither finish nor give back anything. */
  void kill(Member member) throws InterruptedException {
    member.process().destroyForcibly().waitFor();
  }

  List<Member> members() {
    return List.copyOf(members);
  }

  /** Stops all gracefully and waits for them. */
  void stop() throws InterruptedException {
    for (Member member : members) member.process().destroy();
    for (Member member : members) {
      if (!member.process().waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        throw new IllegalStateException(
            "worker process " + member.name() + " did not stop within " + PATIENCE);
      }
    }
  }

  @Override
  public void close() {
    killAll();
    AtExit.remove(atExit);
  }

  private void killAll() {
    members.forEach(member -> member.process().destroyForcibly());
  }
}
