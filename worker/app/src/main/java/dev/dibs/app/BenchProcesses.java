package dev.dibs.app;

import dev.dibs.bench.Bench;
import dev.dibs.bench.BenchDatabase;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Real worker processes for the benchmark, started as anybody would start them. None outlives this
 * process. Owned by one thread; only a signal that ends this process comes from another.
 */
final class BenchProcesses implements Bench.WorkerProcesses, AutoCloseable {
  private final Database database;
  private final List<Process> running = new CopyOnWriteArrayList<>();
  private final Runnable atExit = this::killAll;

  BenchProcesses(Database database) {
    this.database = database;
    AtExit.add(atExit);
  }

  @Override
  public Bench.Started start(BenchDatabase db, Bench.Order order) throws IOException {
    List<Process> started = new ArrayList<>();
    for (int i = 0; i < order.processes(); i++) {
      Process process = process(db, order).start();
      started.add(process);
      running.add(process);
    }
    return new Members(started);
  }

  private ProcessBuilder process(BenchDatabase db, Bench.Order order) {
    ProcessBuilder builder =
        DibsProcess.of(
            database,
            List.of(
                "worker",
                "--schema=" + db.schema().name(),
                "--queue=bench=" + order.concurrency()));
    List<String> command = new ArrayList<>(builder.command());
    // The last of several counts, so they stand behind the usual options and before the program.
    command.addAll(command.indexOf("-cp"), order.jvmOptions());
    command.add(command.indexOf("-cp"), "-Xmx" + order.heapMebibytes() + "m");
    return builder.command(command);
  }

  /** The processes of one order. */
  private final class Members implements Bench.Started {
    private final List<Process> processes;

    Members(List<Process> processes) {
      this.processes = processes;
    }

    @Override
    public List<Long> pids() {
      return processes.stream().map(Process::pid).toList();
    }

    @Override
    public void close() {
      processes.forEach(Process::destroy);
      processes.forEach(process -> process.onExit().join());
      running.removeAll(processes);
    }
  }

  private void killAll() {
    running.forEach(Process::destroyForcibly);
  }

  @Override
  public void close() {
    killAll();
    AtExit.remove(atExit);
  }
}
