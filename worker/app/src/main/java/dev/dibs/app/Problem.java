package dev.dibs.app;

import dev.dibs.DibsException;
import dev.dibs.Json;
import dev.dibs.NewTask;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * Why the gateway does not do what it was asked for, and the way out. Neither payloads nor tokens
 * are in it. Source: RFC 9457, Problem Details for HTTP APIs.
 */
final class Problem extends DibsException {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final String MEDIA_TYPE = "application/problem+json";

  private final ProblemType type;
  private final transient Map<String, String> headers;
  private final transient List<String> ids;

  private Problem(ProblemType type, String detail, Map<String, String> headers, List<String> ids) {
    super(detail);
    this.type = type;
    this.headers = Map.copyOf(headers);
    this.ids = List.copyOf(ids);
  }

  static Problem of(ProblemType type, String detail) {
    return new Problem(type, detail, Map.of(), List.of());
  }

  /** One that may have passed after {@code wait}. */
  static Problem passing(ProblemType type, String detail, Duration wait) {
    return of(type, detail).with("Retry-After", Long.toString(Math.max(1, ceil(wait))));
  }

  private static long ceil(Duration wait) {
    return wait.plusSeconds(1).minusNanos(1).toSeconds();
  }

  Problem with(String header, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(header, value);
    return new Problem(type, detail(), more, ids);
  }

  /** Says which tasks it is about: who repeats the request names them. */
  Problem about(List<NewTask<Json>> tasks) {
    return new Problem(
        type, detail(), headers, tasks.stream().map(task -> task.id().toString()).toList());
  }

  ProblemType type() {
    return type;
  }

  private String detail() {
    return String.valueOf(getMessage());
  }

  Reply reply() {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("type", type.uri());
    members.put("title", type.title());
    members.put("status", type.status());
    members.put("detail", detail());
    if (!ids.isEmpty()) members.put("ids", ids);
    return new Reply(type.status(), MEDIA_TYPE, JSON.writeValueAsString(members) + "\n", headers);
  }
}
