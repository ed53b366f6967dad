package dev.dibs.bench;

import java.util.Arrays;
import java.util.Map;

/** What several rounds said of a figure that is no rate. */
record Spread(double median, double least, double most) {
  static Spread of(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return new Spread(sorted[sorted.length / 2], sorted[0], sorted[sorted.length - 1]);
  }

  /** Adds the three by the names that {@code --json} prints. */
  void into(Map<String, Double> named, String name) {
    named.put(name, median);
    named.put("min_" + name, least);
    named.put("max_" + name, most);
  }
}
