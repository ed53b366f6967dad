package dev.dibs.producer;

import dev.dibs.Codec;
import dev.dibs.sql.Schema;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import java.time.Duration;

/**
 * How a producer works. Immutable.
 *
 * @param schema where the tasks go
 * @param codec how payloads become JSON
 * @param maxPayloadBytes the largest payload taken, in bytes of UTF-8, and the largest headers; 1
 *     to 16 MiB
 * @param bellInterval workers are told about a queue at most this often; positive, at most a day
 * @param watch what counts and traces the tasks that are put in
 */
public record ProducerSettings(
    Schema schema, Codec codec, int maxPayloadBytes, Duration bellInterval, EnqueueWatch watch) {
  private static final int HARD_MAX_PAYLOAD_BYTES = 16 << 20;
  private static final Duration LONGEST_BELL_INTERVAL = Duration.ofDays(1);

  /** Schema {@code dibs}, JSON by Jackson, payloads up to 256 KiB, a bell every 5 ms, no watch. */
  public static final ProducerSettings DEFAULT =
      new ProducerSettings(
          Schema.DEFAULT, Codec.jackson(), 256 << 10, Duration.ofMillis(5), EnqueueWatch.NONE);

  public ProducerSettings {
    if (maxPayloadBytes < 1 || maxPayloadBytes > HARD_MAX_PAYLOAD_BYTES) {
      throw new IllegalArgumentException(
          "maxPayloadBytes must be between 1 and %d, was %d"
              .formatted(HARD_MAX_PAYLOAD_BYTES, maxPayloadBytes));
    }
    if (!bellInterval.isPositive() || bellInterval.compareTo(LONGEST_BELL_INTERVAL) > 0) {
      throw new IllegalArgumentException(
          "bellInterval must be positive and at most a day, was " + bellInterval);
    }
  }

  public ProducerSettings withSchema(Schema schema) {
    return new ProducerSettings(schema, codec, maxPayloadBytes, bellInterval, watch);
  }

  public ProducerSettings withCodec(Codec codec) {
    return new ProducerSettings(schema, codec, maxPayloadBytes, bellInterval, watch);
  }

  public ProducerSettings withMaxPayloadBytes(int maxPayloadBytes) {
    return new ProducerSettings(schema, codec, maxPayloadBytes, bellInterval, watch);
  }

  public ProducerSettings withBellInterval(Duration bellInterval) {
    return new ProducerSettings(schema, codec, maxPayloadBytes, bellInterval, watch);
  }

  /**
   * Counts what is put in, as {@code dibs.tasks.enqueued} by queue and kind, in this registry; for
   * that micrometer-core must be there.
   *
   * <p>In a transaction of the caller's a task counts when it is put in, whether or not that
   * commits.
   */
  public ProducerSettings withMetrics(MeterRegistry registry) {
    var metered = watch.with(new EnqueueMeters(registry));
    return new ProducerSettings(schema, codec, maxPayloadBytes, bellInterval, metered);
  }

  /**
   * Observes every enqueue, as {@code dibs.enqueue}: with a tracer behind the registry it is a
   * span, and the tasks' header {@code traceparent} makes it the parent of their runs. For that
   * micrometer-observation must be there.
   */
  public ProducerSettings withObservations(ObservationRegistry registry) {
    var observed = watch.with(new EnqueueTraces(registry));
    return new ProducerSettings(schema, codec, maxPayloadBytes, bellInterval, observed);
  }
}
