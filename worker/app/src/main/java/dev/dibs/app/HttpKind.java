package dev.dibs.app;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.PayloadException;
import dev.dibs.worker.RunningTask;
import dev.dibs.worker.TaskHandler;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The built-in kind {@code http}: calls a URL that the allow-list covers. Thread-safe.
 *
 * <p>HTTP/1.1: an upgrade to HTTP/2 is offered in the first request, which not every server takes
 * well. What was sent and received is never logged; of an answer that is no success the beginning
 * is kept with the task's error.
 */
final class HttpKind implements TaskHandler<Json>, AutoCloseable {
  static final Kind<Json> KIND = Kind.json("http");

  private final List<HttpUrl> allowed;
  private final Duration timeout;
  private final HttpClient client;

  /**
   * Calls what is within one of {@code allowed}.
   *
   * @param timeout from the first try to connect to the end of the answer
   */
  HttpKind(List<HttpUrl> allowed, Duration timeout) {
    if (!timeout.isPositive() || timeout.compareTo(Duration.ofDays(1)) > 0) {
      throw new UsageException("--http-timeout must be more than 0 and at most 1d, was " + timeout);
    }
    this.allowed = List.copyOf(allowed);
    this.timeout = timeout;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(timeout)
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
  }

  @Override
  public Outcome handle(Json payload, RunningTask task) throws InterruptedException {
    try {
      HttpCall call = HttpCall.parse(payload);
      if (allowed.stream().noneMatch(call.url()::isWithin)) {
        return Outcome.dead(
            "no --http-allow of this worker covers the url, which is at " + call.url());
      }
      return send(call.url(), call.request(task));
    } catch (PayloadException e) {
      return Outcome.dead(String.valueOf(e.getMessage()));
    }
  }

  private Outcome send(HttpUrl url, HttpRequest request) throws InterruptedException {
    CompletableFuture<HttpResponse<String>> answer =
        client.sendAsync(request, head -> new HttpExcerpt());
    try {
      return HttpAnswer.of(url, answer.get(timeout.toNanos(), TimeUnit.NANOSECONDS)).outcome();
    } catch (TimeoutException e) {
      return Outcome.retry(url + " did not answer within " + DurationText.show(timeout));
    } catch (ExecutionException e) {
      return Outcome.retry(url + " cannot be called: " + e.getCause());
    } finally {
      answer.cancel(true); // closes the connection of a call that was given up
    }
  }

  /** Breaks off all calls. */
  @Override
  public void close() {
    client.shutdownNow();
  }
}
