package dev.dibs.app;

import dev.dibs.Outcome;
import java.net.http.HttpResponse;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;

/**
 * What a server said to a task of kind {@code http}. Immutable.
 *
 * @param retryAfter how long the server wants to be left alone
 * @param excerpt the beginning of the body
 */
record HttpAnswer(HttpUrl url, int status, Optional<Duration> retryAfter, String excerpt) {
  private static final Duration LONGEST_WAIT = Duration.ofDays(1);
  private static final int REQUEST_TIMEOUT = 408;
  private static final int TOO_EARLY = 425;
  private static final int TOO_MANY_REQUESTS = 429;

  static HttpAnswer of(HttpUrl url, HttpResponse<String> response) {
    Instant now = header(response, "Date").flatMap(HttpAnswer::date).orElseGet(Instant::now);
    return new HttpAnswer(
        url,
        response.statusCode(),
        header(response, "Retry-After").flatMap(text -> wait(text, now)),
        response.body());
  }

  private static Optional<String> header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).map(String::strip);
  }

  /** Seconds or a date, which is compared with the server's own where it sends one. */
  private static Optional<Duration> wait(String text, Instant now) {
    Optional<Duration> wait =
        text.matches("\\d{1,9}")
            ? Optional.of(Duration.ofSeconds(Long.parseLong(text)))
            : date(text).map(date -> Duration.between(now, date));
    return wait.map(HttpAnswer::bounded);
  }

  private static Duration bounded(Duration wait) {
    if (wait.isNegative()) return Duration.ZERO;
    return wait.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : wait;
  }

  private static Optional<Instant> date(String text) {
    try {
      return Optional.of(
          OffsetDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  /** Done for 2xx; again for what may pass; everything else comes to the same the next time. */
  Outcome outcome() {
    if (status / 100 == 2) return Outcome.done();
    String error = url + " answered " + status + (excerpt.isEmpty() ? "" : ": " + excerpt);
    if (status / 100 == 3) return Outcome.dead(error + " (redirects are not followed)");
    if (!mayPass()) return Outcome.dead(error);
    return retryAfter.map(wait -> Outcome.retry(wait, error)).orElseGet(() -> Outcome.retry(error));
  }

  private boolean mayPass() {
    return status / 100 == 5
        || status == TOO_MANY_REQUESTS
        || status == REQUEST_TIMEOUT
        || status == TOO_EARLY;
  }
}
