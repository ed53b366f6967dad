package dev.dibs.worker;

import dev.dibs.Outcome;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.transport.ReceiverContext;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * What surrounds the call of a handler where it is wished for: an observation, whose remote parent
 * stands in the task's headers, and the task's id, kind and attempt in the log's context.
 * Thread-safe.
 */
record Surroundings(ObservationRegistry observations, boolean inLog) {
  static final Surroundings NONE = new Surroundings(ObservationRegistry.NOOP, false);

  /** Whether handlers are called bare; also while nobody handles the observations. */
  boolean areNone() {
    return !inLog && observations.isNoop();
  }

  Outcome call(RunningTask run, Callable<Outcome> handler) throws Exception {
    if (!inLog) return observed(run, handler);
    @Nullable Map<String, String> before = MDC.getCopyOfContextMap();
    MDC.put("dibs.task", run.id().toString());
    MDC.put("dibs.kind", run.kind());
    MDC.put("dibs.attempt", Integer.toString(run.attempt()));
    try {
      return observed(run, handler);
    } finally {
      if (before == null) MDC.clear();
      else MDC.setContextMap(before);
    }
  }

  private Outcome observed(RunningTask run, Callable<Outcome> handler) throws Exception {
    if (observations.isNoop()) return handler.call();
    Observation observation = begun(run);
    Observation.Scope scope = observation.openScope();
    String outcome = "thrown";
    try {
      Outcome answer = handler.call();
      outcome = answer.getClass().getSimpleName().toLowerCase(Locale.ROOT);
      return answer;
    } catch (Throwable e) {
      observation.error(e);
      throw e;
    } finally {
      scope.close();
      observation.lowCardinalityKeyValue("dibs.outcome", outcome);
      observation.stop();
    }
  }

  private Observation begun(RunningTask run) {
    var context = new ReceiverContext<Map<String, String>>(Map::get);
    context.setCarrier(headers(run));
    return Observation.createNotStarted("dibs.task", () -> context, observations)
        .contextualName("run " + run.kind())
        .lowCardinalityKeyValue("dibs.queue", run.queue())
        .lowCardinalityKeyValue("dibs.kind", run.kind())
        .highCardinalityKeyValue("dibs.task", run.id().toString())
        .highCardinalityKeyValue("dibs.attempt", Integer.toString(run.attempt()))
        .start();
  }

  /** Whatever SQL put into the headers, the task runs. */
  private static Map<String, String> headers(RunningTask run) {
    try {
      return run.headers();
    } catch (RuntimeException e) {
      return Map.of();
    }
  }
}
