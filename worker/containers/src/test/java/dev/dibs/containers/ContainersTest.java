package dev.dibs.containers;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.producer.Producer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The image, and fleets of it. Each test works on a queue of its own. */
@Tag("containers")
@Timeout(240)
class ContainersTest {
  private static final Duration LEASE = ofSeconds(4);

  /** Of {@code docker stop}, as in compose.yaml. */
  private static final Duration STOP = ofSeconds(35);

  private static final long SIGTERM = 128 + 15;
  private static final int ROUNDS = 3;
  private static final int TASKS = 20_000;
  private static final Kind<Json> NOOP = Kind.json("noop");

  private static Fleet fleet;

  /** What tasks of kind http call, and what asks the others over the network. */
  private static Dibs target;

  @BeforeAll
  static void start() {
    Engine.require();
    Images.build();
    fleet = Fleet.start();
    target = fleet.run(fleet.prepared(Images.DIBS, "target", "--queue=nothing=1"));
  }

  @AfterAll
  static void stop() {
    if (fleet != null) fleet.close();
  }

  private static Dibs worker(int version, String name, String queue) {
    return fleet.run(
        fleet.prepared(
            Images.shop(version),
            name,
            "--queue=" + queue + "=20",
            "--lease=" + LEASE.toSeconds() + "s",
            "--exec-allow=/bin/sleep",
            "--http-allow=http://target:9400/health"));
  }

  private static Load load(String queue) {
    return Load.on(fleet.server.dataSource(), queue, "http://target:9400/health/live");
  }

  private static void until(String what, Callable<Boolean> condition) {
    await(what).atMost(ofSeconds(60)).ignoreExceptions().until(condition);
  }

  private static void print(String figures) {
    System.out.println("containers: " + figures);
  }

  @Test
  void image_needsNoRightsAndKnowsItsHealth() {
    Dibs worker = worker(1, "plain", "plain");
    assertThat(worker.inside("id", "-un").getStdout()).isEqualTo("dibs\n");
    assertThat(worker.inside("touch", "/opt/dibs/x").getStderr()).contains("Read-only");
    assertThat(worker.inside("grep", "CapEff", "/proc/1/status").getStdout())
        .matches("CapEff:\\s+0+\\s");
    assertThat(worker.getLogs())
        .contains("kinds exec, http, noop, work;", "admin http://0.0.0.0:9400")
        .doesNotContain(Server.PASSWORD, "[warning]", "[error]");
    until(
        "healthy",
        () -> Engine.state(worker.getContainerId()).getHealth().getStatus().equals("healthy"));
    assertThat(worker.asks("target", "/health/ready")).startsWith("HTTP/1.1 200 ");
    assertThat(heapOf(worker)).isBetween(180L << 20, 200L << 20); // half of what it may have
    assertThat(billOf(worker)).containsAll(jarsOf(worker));
    // Ends badly if the cache cannot be used.
    fleet.run(Dibs.once(fleet.network, "--version").withEnv("DIBS_JAVA_OPTIONS", "-XX:AOTMode=on"));
  }

  private static List<String> jarsOf(Dibs worker) {
    List<String> jars = worker.inside("ls", "/opt/dibs/lib").getStdout().lines().toList();
    assertThat(jars).hasSizeGreaterThan(20);
    return jars;
  }

  /** The jars that its bill of materials names. */
  private static List<String> billOf(Dibs worker) {
    return Pattern.compile("\"pkg:maven/[^/]+/([^@]+)@([^?]+)\\?type=jar\"")
        .matcher(worker.inside("cat", "/opt/dibs/dibs-sbom.json").getStdout())
        .results()
        .map(purl -> purl.group(1) + "-" + purl.group(2) + ".jar")
        .distinct()
        .toList();
  }

  private static long heapOf(Dibs worker) {
    return Pattern.compile("(?m)^jvm_memory_max_bytes\\{area=\"heap\".*} (\\S+)$")
        .matcher(worker.asks("plain", "/metrics"))
        .results()
        .mapToLong(line -> (long) Double.parseDouble(line.group(1)))
        .filter(bytes -> bytes > 0)
        .sum();
  }

  @Test
  void aFleetUnderFaults_losesNoTask() {
    List<Dibs> workers =
        IntStream.rangeClosed(1, 4).mapToObj(i -> worker(1, "worker-" + i, "faults")).toList();
    List<String> faults = new ArrayList<>();
    Load load = load("faults");
    try (load) {
      faults.add(kill(workers.get(0)));
      faults.add(pauseBeyondItsLease(workers.get(1)));
      faults.add(cutOff(workers.get(2)));
      faults.add(crashServer(workers, load));
      faults.add(kill(workers.get(3)));
      for (Dibs worker : workers)
        until(worker.name() + " finishes tasks again", () -> finishedBy(worker) > 0);
    }
    assertAllDone(load);
    long losses = fleet.ledger.losses(load.acknowledged());
    assertThat(losses).isPositive(); // else no fault hit anything
    for (Dibs worker : workers) assertThat(worker.getLogs()).doesNotContain(Server.PASSWORD);
    print(
        "%d started, faults %s; %d tasks, %d given to others, %d batches unanswered, lost %d"
            .formatted(
                fleet.started(),
                faults,
                load.acknowledged().size(),
                losses,
                load.unanswered(),
                fleet.ledger.lost(load.acknowledged())));
  }

  /** By what it tells another container; since it was started last. */
  private static double finishedBy(Dibs worker) {
    return Pattern.compile("(?m)^dibs_tasks_finished_total\\{.*} (\\S+)$")
        .matcher(target.asks(worker.name(), "/metrics"))
        .results()
        .mapToDouble(line -> Double.parseDouble(line.group(1)))
        .sum();
  }

  private static String kill(Dibs worker) {
    untilItWorks(worker);
    Engine.kill(worker.getContainerId());
    untilOthersHaveItsTasks(worker);
    Engine.start(worker.getContainerId());
    until(worker.name() + " is back", () -> worker.is("ready"));
    return "SIGKILL of " + worker.name();
  }

  private static String pauseBeyondItsLease(Dibs worker) {
    untilItWorks(worker);
    Engine.pause(worker.getContainerId());
    untilOthersHaveItsTasks(worker);
    Engine.unpause(worker.getContainerId());
    until(worker.name() + " sees", () -> worker.getLogs().contains("registering anew"));
    until(worker.name() + " is back", () -> worker.is("ready"));
    return "pause of " + worker.name();
  }

  private static String cutOff(Dibs worker) {
    untilItWorks(worker);
    Engine.disconnect(worker.getContainerId(), fleet.network.getId());
    untilOthersHaveItsTasks(worker);
    until(worker.name() + " sees", () -> !worker.is("ready"));
    assertThat(worker.is("live")).isTrue();
    Engine.connect(worker.getContainerId(), fleet.network.getId(), worker.name());
    until(worker.name() + " is back", () -> worker.is("ready"));
    return "network of " + worker.name() + " cut";
  }

  private static String crashServer(List<Dibs> workers, Load load) {
    workers.forEach(ContainersTest::untilItWorks);
    Engine.kill(fleet.server.getContainerId());
    workers.forEach(worker -> until(worker.name() + " sees", () -> !worker.is("ready")));
    Engine.start(fleet.server.getContainerId());
    until("the server is back", fleet.ledger::answers);
    workers.forEach(worker -> until(worker.name() + " is back", () -> worker.is("ready")));
    Set<UUID> before = load.acknowledged();
    until("it goes on", () -> fleet.ledger.succeeded(before) == before.size());
    return "SIGKILL of PostgreSQL";
  }

  private static void untilItWorks(Dibs worker) {
    until(worker.name() + " works", () -> fleet.ledger.heldBy(worker.name()) > 0);
  }

  private static void untilOthersHaveItsTasks(Dibs worker) {
    until(
        "others have the tasks of " + worker.name(), () -> fleet.ledger.heldBy(worker.name()) == 0);
  }

  /** Each once, and each effect once. */
  private static void assertAllDone(Load load) {
    Set<UUID> all = load.acknowledged();
    assertThat(all).hasSizeGreaterThan(100);
    until("all have ended", () -> fleet.ledger.succeeded(all) == all.size());
    assertThat(fleet.ledger.lost(all)).isZero();
    assertThat(fleet.ledger.effects(load.working())).isEqualTo(load.working().size());
  }

  @Test
  void aRollingUpgrade_burnsNoAttemptAndLosesNothing() {
    List<Dibs> old = List.of(worker(1, "old-1", "upgrade"), worker(1, "old-2", "upgrade"));
    Load load = load("upgrade");
    try (load) {
      for (Dibs replaced : old) {
        worker(2, replaced.name().replace("old", "new"), "upgrade");
        untilItWorks(replaced);
        assertThat(Engine.stop(replaced.getContainerId(), STOP)).isEqualTo(SIGTERM);
        assertThat(fleet.ledger.living(replaced.name())).isZero();
        assertThat(replaced.getLogs())
            .containsPattern("worker \\S+ stopped: .* 0 abandoned, 0 outcomes");
      }
    }
    assertAllDone(load);
    // A task that was claimed and given back unstarted was claimed twice; that burns no attempt.
    assertThat(fleet.ledger.failures(load.acknowledged())).isZero();
    assertThat(fleet.ledger.losses(load.acknowledged())).isZero();
    long before = fleet.ledger.effects(load.working(), 1);
    long after = fleet.ledger.effects(load.working(), 2);
    assertThat(before).isPositive();
    assertThat(after).isPositive();
    print(
        "%s to %s with work in flight; %d tasks, %d of kind work by the old, %d by the new, attempts burnt 0, lost %d"
            .formatted(
                Images.shop(1),
                Images.shop(2),
                load.acknowledged().size(),
                before,
                after,
                fleet.ledger.lost(load.acknowledged())));
  }

  @Test
  void aWorker_startsSoonAndStaysSmall() {
    List<Long> cached = new ArrayList<>();
    List<Long> uncached = new ArrayList<>();
    for (int round = 1; round <= ROUNDS; round++) {
      uncached.add(firstClaim("uncached-" + round, "-Xmx64m -XX:AOTMode=off"));
      cached.add(firstClaim("cached-" + round, "-Xmx64m"));
    }
    long resident = residentAfter(TASKS);
    print(
        "from docker run to the first claim %s ms, without the cache %s ms; heap 64 MiB, %d tasks done: %d MiB resident"
            .formatted(cached, uncached, TASKS, resident >> 20));
    assertThat(Collections.min(cached)).isLessThan(Collections.min(uncached));
    assertThat(resident).isLessThan(256L << 20);
  }

  private static void enqueue(String queue, int tasks) {
    try (var producer = Producer.on(fleet.server.dataSource())) {
      producer.enqueue(
          Stream.generate(() -> NOOP.task(new Json("{}")).queue(queue)).limit(tasks).toList());
    }
  }

  private static Dibs started(String queue, String options) {
    return fleet.run(
        fleet
            .prepared(Images.DIBS, queue, "--queue=" + queue + "=20")
            .withEnv("DIBS_JAVA_OPTIONS", options));
  }

  /** Milliseconds by the database's clock, the making of the container included. */
  private static long firstClaim(String queue, String options) {
    enqueue(queue, 1);
    long before = fleet.ledger.number("select extract(epoch from clock_timestamp()) * 1000");
    Dibs worker = started(queue, options);
    String claims = " from dibs.task_history where queue = '" + queue + "'";
    until("the first claim", () -> fleet.ledger.number("select count(*)" + claims) == 1);
    worker.stop();
    return fleet.ledger.number("select extract(epoch from claimed_at) * 1000" + claims) - before;
  }

  private static long residentAfter(int tasks) {
    enqueue("resident", tasks);
    Dibs worker = started("resident", "-Xmx64m");
    until(
        "all done",
        () -> fleet.ledger.number("select count(*) from dibs.task where queue = 'resident'") == 0);
    String status = worker.inside("grep", "VmRSS", "/proc/1/status").getStdout();
    return Long.parseLong(status.replaceAll("\\D", "")) << 10;
  }
}
