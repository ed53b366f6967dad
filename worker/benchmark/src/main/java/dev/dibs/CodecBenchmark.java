package dev.dibs;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullMarked;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import tools.jackson.databind.json.JsonMapper;

/** A payload to JSON and back, beside Jackson without our checks. */
@NullMarked
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class CodecBenchmark {
  record Invoice(long orderId, String customer, List<Line> lines) {}

  record Line(String article, int count, double price) {}

  private final Invoice invoice =
      new Invoice(42, "somebody", List.of(new Line("chair", 4, 59.9), new Line("table", 1, 219)));
  private final Codec codec = Codec.jackson();
  private final JsonMapper bare = JsonMapper.shared();
  private final String json = codec.encode(invoice);

  @Benchmark
  public String encode() {
    return codec.encode(invoice);
  }

  @Benchmark
  public String encodeByBareJackson() {
    return bare.writeValueAsString(invoice);
  }

  @Benchmark
  public Object decode() {
    return codec.decode(json, Invoice.class);
  }

  @Benchmark
  public Object decodeByBareJackson() {
    return bare.readValue(json, Invoice.class);
  }
}
