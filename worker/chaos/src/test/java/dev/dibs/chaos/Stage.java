package dev.dibs.chaos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A cluster, and worker and producer processes on it, each behind a proxy of its own. Used by one
 * thread at a time.
 */
final class Stage implements AutoCloseable {
  /**
   * What is to be set up.
   *
   * @param name of the directory it is set up in
   * @param ahead put before the class path of every process
   */
  record Setting(
      String name, long seed, Workload workload, Cluster.Standby standby, List<Path> ahead) {
    Setting {
      ahead = List.copyOf(ahead);
    }
  }

  private static final Duration READY = Duration.ofSeconds(90);
  private static final Duration GOOD_ORDER = Duration.ofSeconds(60);

  private final Setting setting;
  private final Path directory;
  private final Cluster cluster;
  private final Journal journal = new Journal();
  private final List<Member> workers = new ArrayList<>();
  private final List<Member> producers = new ArrayList<>();

  private Stage(Setting setting, Path directory, Cluster cluster) {
    this.setting = setting;
    this.directory = directory;
    this.cluster = cluster;
  }

  static Stage set(Setting setting, int workers, int producers) throws IOException, SQLException {
    Path directory = Path.of("target", "chaos", setting.name()).toAbsolutePath();
    Directories.delete(directory);
    Files.createDirectories(directory);
    var stage = new Stage(setting, directory, Cluster.start(directory, setting.standby()));
    for (int i = 1; i <= workers; i++) stage.add("worker-" + i, WorkerMain.class, stage.workers);
    for (int i = 1; i <= producers; i++)
      stage.add("producer-" + i, ProducerMain.class, stage.producers);
    try {
      stage.members().forEach(Member::start);
      stage.awaitReady();
      return stage;
    } catch (RuntimeException e) {
      stage.close();
      throw e;
    }
  }

  private void add(String seat, Class<?> main, List<Member> members) {
    long seed = setting.seed() * 100 + workers.size() * 10L + producers.size();
    var launch = new Member.Launch(main, directory, seed, setting.workload(), setting.ahead());
    members.add(new Member(seat, launch, new FaultyProxy(() -> cluster.primary().port())));
  }

  Stream<Member> members() {
    return Stream.concat(workers.stream(), producers.stream());
  }

  List<Member> workers() {
    return List.copyOf(workers);
  }

  List<Member> producers() {
    return List.copyOf(producers);
  }

  Cluster cluster() {
    return cluster;
  }

  Journal journal() {
    return journal;
  }

  Setting setting() {
    return setting;
  }

  Path directory() {
    return directory;
  }

  private void awaitReady() {
    Await.until(
        "every process ready, see " + directory,
        READY,
        () -> {
          List<String> ready =
              events().stream().filter(e -> e.is(Event.Type.READY)).map(Event::process).toList();
          return members().map(Member::processName).allMatch(ready::contains);
        });
  }

  List<Event> events() {
    return Recorder.readAll(directory);
  }

  /** Whether no task is left unfinished within {@code atMost}. */
  boolean drains(Duration atMost) {
    return Await.met(atMost, () -> unfinished().isEmpty());
  }

  private List<UUID> unfinished() throws SQLException {
    try (Connection connection = cluster.primary().connect();
        var statement = connection.createStatement();
        var rows = statement.executeQuery("select id from dibs.task")) {
      List<UUID> left = new ArrayList<>();
      while (rows.next()) left.add(rows.getObject(1, UUID.class));
      return left;
    }
  }

  /** Tells these members to stop; a violation is journalled for each that does not. */
  void stopInGoodOrder(List<Member> members) {
    members.forEach(Member::tellToStop);
    for (Member member : members) {
      if (member.ends(GOOD_ORDER)) continue;
      journal.saw(
          new Violation(
              Violation.Promise.PROGRESS,
              Event.NO_TASK,
              "%s did not end in good order within %s"
                  .formatted(member.processName(), GOOD_ORDER)));
    }
  }

  /** One worker more. */
  Member addWorker() {
    add("worker-" + (workers.size() + 1), WorkerMain.class, workers);
    Member added = workers.getLast();
    added.start();
    awaitReady();
    return added;
  }

  /** What is known by now. */
  History history() throws SQLException {
    try (Connection connection = cluster.primary().connect()) {
      return new History(
          setting.workload(),
          events(),
          Audit.read(connection),
          journal,
          cluster.lost(),
          unfinished());
    }
  }

  @Override
  public void close() {
    members().forEach(Member::kill);
    members().forEach(member -> member.proxy().close());
    cluster.close();
    try (Stream<Path> files = Files.list(directory)) {
      files
          .filter(file -> file.getFileName().toString().matches("server-\\d+"))
          .forEach(Directories::delete);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
