package dev.dibs.console;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * Lines over the last quarter of an hour, as an SVG of fixed size; where nothing was measured there
 * is a gap. Immutable.
 *
 * @param title what is measured
 * @param lines at most two: they differ in colour and in dash
 * @param write a value with its unit
 */
record Chart(String title, Instant end, List<Line> lines, DoubleFunction<String> write) {
  static final int WIDTH = 720;
  static final int HEIGHT = 160;
  private static final int LEFT = 8;
  private static final int RIGHT = 90;
  private static final int TOP = 14;
  private static final int BOTTOM = 18;
  private static final Duration GAP = Duration.ofSeconds(40);

  /** One series. */
  record Line(String name, List<Dot> dots) {
    Stream<Dot> measured() {
      return dots.stream().filter(dot -> !Double.isNaN(dot.value()));
    }

    double last() {
      return dots.isEmpty() ? Double.NaN : dots.getLast().value();
    }
  }

  record Dot(Instant at, double value) {}

  /** A line across the chart, with its value. */
  record Tick(double y, String text) {}

  static Line line(String name, List<History.Point> points, ToDoubleFunction<History.Point> value) {
    return new Line(
        name, points.stream().map(p -> new Dot(p.at(), value.applyAsDouble(p))).toList());
  }

  /** Whether there is no line to draw: nobody has watched for long enough. */
  boolean isBlank() {
    return lines.stream().allMatch(line -> line.measured().limit(2).count() < 2);
  }

  /** Since when there are values, where that is later than the chart begins. */
  Optional<Instant> since() {
    return lines.stream()
        .flatMap(line -> line.dots().stream().map(Dot::at))
        .min(Comparator.naturalOrder())
        .filter(first -> Duration.between(first, end).compareTo(History.WINDOW.minus(GAP)) < 0);
  }

  /** The path of a series; it begins anew after a gap. */
  String path(Line line) {
    var path = new StringBuilder();
    Dot before = null;
    for (Dot dot : line.dots()) {
      if (Double.isNaN(dot.value())) {
        before = null;
        continue;
      }
      boolean joins = before != null && Duration.between(before.at(), dot.at()).compareTo(GAP) <= 0;
      path.append(joins ? 'L' : 'M').append(number(x(dot.at()))).append(' ');
      path.append(number(y(dot.value())));
      before = dot;
    }
    return path.toString();
  }

  private double x(Instant at) {
    double past = Duration.between(at, end).toMillis() / (double) History.WINDOW.toMillis();
    return LEFT + (WIDTH - LEFT - RIGHT) * Math.max(0, 1 - past);
  }

  private double y(double value) {
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top();
  }

  /** The end of a line, for the value written there; two ends that would meet are moved apart. */
  double endY(int index) {
    double y = y(orZero(lines.get(index).last()));
    if (index == 0) return y;
    double first = endY(0);
    return Math.abs(y - first) >= 12 ? y : y >= first ? first + 12 : first - 12;
  }

  private static double orZero(double value) {
    return Double.isNaN(value) ? 0 : value;
  }

  /** The next 1, 2 or 5 above the highest value. */
  private double top() {
    double highest = 0;
    for (Line line : lines) {
      for (Dot dot : line.dots()) highest = Math.max(highest, orZero(dot.value()));
    }
    if (highest <= 0) return 1;
    double power = Math.pow(10, Math.floor(Math.log10(highest)));
    for (double step : new double[] {1, 2, 5}) {
      if (highest <= step * power) return step * power;
    }
    return 10 * power;
  }

  List<Tick> ticks() {
    List<Tick> ticks = new ArrayList<>();
    for (double part : new double[] {0, 0.5, 1})
      ticks.add(new Tick(y(top() * part), write.apply(top() * part)));
    return ticks;
  }

  String valueOf(Line line) {
    return Double.isNaN(line.last()) || line.dots().isEmpty() ? "–" : write.apply(line.last());
  }

  /** For those who do not see it. */
  String description() {
    var text = new StringBuilder(title).append(", the last 15 minutes:");
    for (Line line : lines) {
      double highest = line.dots().stream().mapToDouble(d -> orZero(d.value())).max().orElse(0);
      text.append(
          " %s now %s, at most %s.".formatted(line.name(), valueOf(line), write.apply(highest)));
    }
    return text.toString();
  }

  /** Short enough for an attribute. */
  static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
