package dev.dibs.app;

import java.io.IOException;
import java.io.UncheckedIOException;
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
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "demo-worker",
                "--process=" + name,
                "--queue=" + plan.queue(),
                "--demo-schema=" + plan.demoSchema(),
                "--concurrency=" + plan.concurrency(),
                "--lease=" + plan.lease().toMillis() + "ms"));
    if (plan.naive()) arguments.add("--naive");
    return DibsProcess.of(plan.database(), arguments);
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
