package dev.dibs.worker;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.management.ThreadMXBean;
import dev.dibs.Codec;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Outcome;
import dev.dibs.Priority;
import dev.dibs.Task;
import dev.dibs.producer.CoalescingProducer;
import dev.dibs.producer.CoalescingSettings;
import dev.dibs.producer.Producer;
import dev.dibs.producer.ProducerSettings;
import dev.dibs.sql.FinishTask;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import io.micrometer.observation.transport.ReceiverContext;
import io.micrometer.observation.transport.SenderContext;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

@Timeout(60)
class SurroundingsTest {
  private static final Kind<Json> KIND = Kind.json("k");
  private static final String TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  /** Carries what a tracer carries. */
  private static final class Tracer implements ObservationHandler<Observation.Context> {
    final Queue<String> parents = new ConcurrentLinkedQueue<>();
    final Queue<String> said = new ConcurrentLinkedQueue<>();

    @Override
    public void onStop(Observation.Context context) {
      said.add(context.getContextualName() + " " + context.getAllKeyValues());
    }

    @Override
    public void onStart(Observation.Context context) {
      if (context instanceof SenderContext<?> sender) send(sender);
      if (context instanceof ReceiverContext<?> receiver) receive(receiver);
    }

    private static <C> void send(SenderContext<C> sender) {
      sender.getSetter().set(sender.getCarrier(), "traceparent", TRACE);
    }

    private <C> void receive(ReceiverContext<C> receiver) {
      parents.add(
          String.valueOf(
              receiver
                  .getGetter()
                  .get(Objects.requireNonNull(receiver.getCarrier()), "traceparent")));
    }

    @Override
    public boolean supportsContext(Observation.Context context) {
      return true;
    }
  }

  private final TestDatabase db = TestDatabase.create();
  private final TestObservationRegistry registry = TestObservationRegistry.create();
  private final Tracer tracer = new Tracer();
  private final Producer producer =
      Producer.on(db.dataSource(), ProducerSettings.DEFAULT.withObservations(registry(registry)));
  private @Nullable Worker worker;

  private ObservationRegistry registry(ObservationRegistry observations) {
    observations.observationConfig().observationHandler(tracer);
    return observations;
  }

  @AfterEach
  void stop() {
    if (worker != null) worker.stop(Duration.ZERO);
    producer.close();
    db.close();
  }

  private void start(TaskHandler<Json> handler) {
    worker =
        Worker.on(db.dataSource())
            .queue("q", 4)
            .handle(KIND, handler)
            .observations(registry)
            .logContext()
            .start();
  }

  private static NewTask<Json> task(String text) {
    return KIND.task(new Json('"' + text + '"')).queue("q");
  }

  @Test
  void aRun_isObservedAndItsParentIsWhereItWasEnqueued() {
    producer.enqueue(task("secret"));
    start((payload, run) -> Outcome.done());
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 1);
    await().atMost(ofSeconds(10)).until(() -> tracer.parents.size() == 1);
    assertThat(tracer.parents).containsExactly(TRACE);
    assertThat(db.value("select headers ->> 'traceparent' from dibs.task_history"))
        .isEqualTo(TRACE);
    await()
        .atMost(ofSeconds(5))
        .untilAsserted(() ->
            TestObservationRegistryAssert.assertThat(registry)
                .hasObservationWithNameEqualTo("dibs.task")
                .that()
                .hasBeenStarted()
                .hasBeenStopped()
                .hasContextualNameEqualTo("run k")
                .hasLowCardinalityKeyValue("dibs.queue", "q")
                .hasLowCardinalityKeyValue("dibs.kind", "k")
                .hasLowCardinalityKeyValue("dibs.outcome", "done")
                .hasHighCardinalityKeyValue("dibs.attempt", "1"));
    TestObservationRegistryAssert.assertThat(registry)
        .hasObservationWithNameEqualTo("dibs.enqueue")
        .that()
        .hasBeenStopped();
    assertThat(tracer.said)
        .hasSize(2)
        .allSatisfy(said -> assertThat(said).doesNotContain("secret"));
  }

  @Test
  void aHandlerThatThrows_isAnErrorOfItsObservation() {
    producer.enqueue(task("x").maxAttempts(1));
    var seen = new AtomicReference<@Nullable Observation>();
    start((payload, run) -> {
      seen.set(registry.getCurrentObservation());
      throw new IllegalStateException("no ink");
    });
    await().atMost(ofSeconds(10)).until(() -> db.finished("DEAD") == 1);
    assertThat(seen.get()).isNotNull();
    TestObservationRegistryAssert.assertThat(registry)
        .hasObservationWithNameEqualTo("dibs.task")
        .that()
        .hasLowCardinalityKeyValue("dibs.outcome", "thrown")
        .thenError()
        .hasMessage("no ink");
  }

  @Test
  void followUpsAndSharedCommits_carryTheTraceAndAHeaderOfTheUsersStays() {
    start((payload, run) -> {
      if (payload.text().equals("\"first\"")) run.transaction(tx -> tx.enqueue(task("second")));
      return Outcome.done();
    });
    producer.enqueue(task("first"));
    producer.enqueue(task("own").header("traceparent", "mine"));
    var settings =
        CoalescingSettings.DEFAULT.withProducer(
            ProducerSettings.DEFAULT.withObservations(registry));
    try (var coalescing = CoalescingProducer.on(db.dataSource(), settings)) {
      coalescing.enqueue(task("third")).join();
    }
    await().atMost(ofSeconds(20)).until(() -> db.finished("SUCCEEDED") == 4);
    await().atMost(ofSeconds(5)).until(() -> tracer.parents.size() == 4);
    assertThat(tracer.parents).containsExactlyInAnyOrder(TRACE, TRACE, TRACE, "mine");
  }

  @Test
  void headersThatAreNoObject_costNoTask() {
    db.execute(
        "insert into dibs.task (id, queue, kind, payload, headers) values (gen_random_uuid(), 'q', 'k', '1', '[1]')");
    start((payload, run) -> Outcome.done());
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 1);
    assertThat(tracer.parents).containsExactly("null");
  }

  @Test
  void theLogsContext_namesTheTaskWhileItsHandlerRuns() throws Exception {
    var surroundings = new Surroundings(ObservationRegistry.NOOP, true);
    RunningTask run = running();
    MDC.put("request", "7");
    MDC.put("dibs.kind", "outer");
    try {
      surroundings.call(
          run,
          () -> {
            assertThat(MDC.getCopyOfContextMap())
                .isEqualTo(
                    Map.of(
                        "request", "7",
                        "dibs.task", run.id().toString(),
                        "dibs.kind", "k",
                        "dibs.attempt", "3"));
            return Outcome.done();
          });
      assertThat(MDC.getCopyOfContextMap()).isEqualTo(Map.of("request", "7", "dibs.kind", "outer"));
    } finally {
      MDC.clear();
    }
    var inHandler = new AtomicReference<String>();
    producer.enqueue(task("x"));
    start((payload, task) -> {
      inHandler.set(MDC.get("dibs.task") + " " + MDC.get("dibs.attempt"));
      return Outcome.done();
    });
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 1);
    assertThat(inHandler.get())
        .isEqualTo(db.value("select id::text from dibs.task_history") + " 1");
  }

  private RunningTask running() {
    return calls(Surroundings.NONE)
        .open(
            new Task(
                new Task.Hold(UUID.randomUUID(), UUID.randomUUID()),
                new Task.Lane("q", Priority.NORMAL),
                "k",
                new Task.Tries(3, 0, 0, 25),
                new Task.Content("1", ""),
                new Task.Timing(Duration.ZERO, Optional.empty())));
  }

  private HandlerCalls calls(Surroundings surroundings) {
    var handlers = new Handlers().handle(KIND, (payload, run) -> Outcome.done());
    var meters = new WorkerMeters(new SimpleMeterRegistry());
    return new HandlerCalls(
        handlers,
        new TaskTransactions(db.dataSource(), new FinishTask(Schema.DEFAULT), producer, meters),
        Codec.jackson(),
        surroundings);
  }

  private interface Call {
    Object once() throws Exception;
  }

  @Test
  void withoutSurroundings_aCallAllocatesNothingMore() throws Exception {
    RunningTask run = running();
    HandlerCalls bare = calls(Surroundings.NONE);
    HandlerCalls idle = calls(new Surroundings(ObservationRegistry.create(), false));
    List<Call> all =
        List.of(
            () -> bare.handlers().run(bare.codec(), run.task(), run),
            () -> bare.call(run),
            () -> idle.call(run),
            () -> calls.call(run));
    for (Call each : all) bytes(each);
    double direct = bytes(all.get(0));
    double none = bytes(all.get(1));
    double noHandler = bytes(all.get(2));
    double observed = bytes(all.get(3));
    LoggerFactory.getLogger(SurroundingsTest.class)
        .warn(
            "bytes a call: {} direct, {} without surroundings, {} with a registry that nobody handles, {} observed",
            direct,
            none,
            noHandler,
            observed);
    assertThat(none).isLessThanOrEqualTo(direct + 8);
    assertThat(noHandler).isLessThanOrEqualTo(direct + 8);
    assertThat(observed).isGreaterThan(direct + 100);
  }

  private final HandlerCalls calls = calls(new Surroundings(handled(), false));

  private static ObservationRegistry handled() {
    ObservationRegistry registry = ObservationRegistry.create();
    registry.observationConfig().observationHandler(context -> true);
    return registry;
  }

  /** The least of some rounds: on a machine that is busy the compiler is late. */
  private static double bytes(Call call) throws Exception {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    int calls = 50_000;
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 12; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < calls; i++) call.once();
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    return least / (double) calls;
  }
}
