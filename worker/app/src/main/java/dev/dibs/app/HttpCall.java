package dev.dibs.app;

import dev.dibs.Json;
import dev.dibs.PayloadException;
import dev.dibs.Text;
import dev.dibs.worker.RunningTask;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * What a task of kind {@code http} asks for. Immutable.
 *
 * @param body a string is sent as it is, anything else as JSON
 */
record HttpCall(HttpUrl url, String method, Map<String, String> headers, Optional<JsonNode> body) {
  private static final Set<String> METHODS =
      Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");
  private static final String CONTENT_TYPE = "Content-Type";

  HttpCall {
    headers = Map.copyOf(headers);
    if (!METHODS.contains(method)) {
      throw new PayloadException(
          "the payload's method must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    }
  }

  /**
   * The call that a payload means.
   *
   * @throws PayloadException if it means none
   */
  static HttpCall parse(Json payload) {
    var fields = PayloadFields.of(payload);
    return new HttpCall(
        url(fields.text("url").orElseThrow(() -> new PayloadException("the payload has no url"))),
        fields.text("method").orElse("POST"),
        fields.textsByName("headers"),
        fields.value("body"));
  }

  private static HttpUrl url(String text) {
    try {
      return HttpUrl.parse(text);
    } catch (IllegalArgumentException e) {
      throw new PayloadException("the payload's url " + e.getMessage());
    }
  }

  /**
   * The request to send. The payload's headers may replace the content type and the idempotency
   * key.
   *
   * @throws PayloadException if a header is none that can be set
   */
  HttpRequest request(RunningTask task) {
    var request = HttpRequest.newBuilder(url.uri()).method(method, publisher());
    body.ifPresent(value ->
        request.setHeader(
            CONTENT_TYPE, value.isString() ? "text/plain; charset=utf-8" : "application/json"));
    request.setHeader("Idempotency-Key", task.idempotencyKey("http"));
    headers.forEach((name, value) -> set(request, name, value));
    request.setHeader("Dibs-Task-Id", task.id().toString());
    request.setHeader("Dibs-Attempt", Integer.toString(task.attempt()));
    return request.build();
  }

  private BodyPublisher publisher() {
    return body.map(PayloadFields::plain)
        .map(BodyPublishers::ofString)
        .orElseGet(BodyPublishers::noBody);
  }

  private static void set(HttpRequest.Builder request, String name, String value) {
    try {
      request.setHeader(name, value);
    } catch (IllegalArgumentException e) {
      throw new PayloadException(
          "the payload's header '"
              + Text.cut(Text.storable(name), 40)
              + "' cannot be set, or not to that value");
    }
  }
}
