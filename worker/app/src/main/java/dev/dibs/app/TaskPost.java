package dev.dibs.app;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import dev.dibs.producer.Enqueued;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Answers {@code POST /v1/tasks}. Nothing of a body is read before its token, its kind and its size
 * are known and there is a place for it. Thread-safe.
 */
final class TaskPost {
  private static final Set<String> OWN_HOSTS = Set.of("localhost", "127.0.0.1", "[::1]", "::1");

  private final Intake intake;
  private final TaskReader reader;
  private final Tokens tokens;
  private final int maxBody;
  private final Counter inserted;
  private final Counter there;

  TaskPost(Intake intake, GatewaySettings settings, Tokens tokens, MeterRegistry registry) {
    this.intake = intake;
    this.reader = new TaskReader(settings.maxPayload());
    this.tokens = tokens;
    this.maxBody = settings.maxBody();
    this.inserted = tasks(registry, "inserted");
    this.there = tasks(registry, "already-there");
  }

  private static Counter tasks(MeterRegistry registry, String result) {
    return Counter.builder("dibs.gateway.tasks").tag("result", result).register(registry);
  }

  /**
   * @throws Problem if nothing was enqueued, or nobody knows
   * @throws IOException if the client is gone
   */
  Reply answer(HttpExchange exchange, InFlight.Place place) throws IOException {
    Headers headers = exchange.getRequestHeaders();
    Token token = tokens.of(headers.getFirst("Authorization"));
    if (!tokens.areAsked()) checkHost(headers.getFirst("Host"));
    checkRate(token);
    boolean many = isMany(headers);
    @Nullable String key = headers.getFirst(IdempotencyKey.HEADER);
    if (many && key != null)
      throw Problem.of(
          ProblemType.INVALID_TASK,
          "one %s cannot stand for many tasks; give each its own id or uniqueKey"
              .formatted(IdempotencyKey.HEADER));
    place.take(size(headers));
    byte[] body = body(exchange.getRequestBody());
    if (many) return lines(intake.many(reader.many(body, token)));
    return one(intake.one(IdempotencyKey.on(reader.one(body, token), key)));
  }

  /**
   * Without tokens a page of the web could use a browser on this machine, under a name of its own.
   */
  private static void checkHost(@Nullable String host) {
    String name = host == null ? "" : host.replaceFirst(":\\d*$", "").toLowerCase(Locale.ROOT);
    if (OWN_HOSTS.contains(name)) return;
    throw Problem.of(
        ProblemType.FOREIGN_HOST,
        "without tokens this gateway answers only to localhost and 127.0.0.1; start it with --tokens for others");
  }

  private static void checkRate(Token token) {
    Duration wait = token.untilAllowed();
    if (!wait.isZero())
      throw Problem.passing(
          ProblemType.TOO_FAST,
          "token '%s' has used up its rate; send many tasks in one request, or more slowly"
              .formatted(token.name()),
          wait);
  }

  private static boolean isMany(Headers headers) {
    @Nullable String encoding = headers.getFirst("Content-Encoding");
    String[] type = mediaType(headers).split(";", 2);
    boolean many = type[0].strip().equals(Reply.LINES);
    boolean utf8 = type.length == 1 || !type[1].contains("charset") || type[1].contains("utf-8");
    if ((many || type[0].strip().equals(Reply.JSON)) && utf8 && encoding == null) return many;
    throw Problem.of(
            ProblemType.WRONG_MEDIA_TYPE,
            "send one task as application/json, or one a line as application/x-ndjson; in UTF-8 and without Content-Encoding")
        .with("Accept-Post", Reply.JSON + ", " + Reply.LINES);
  }

  private static String mediaType(Headers headers) {
    @Nullable String type = headers.getFirst("Content-Type");
    return type == null ? "" : type.toLowerCase(Locale.ROOT);
  }

  /** How large the body is, or may be. */
  private long size(Headers headers) {
    @Nullable String length = headers.getFirst("Content-Length");
    if (length == null && !headers.containsKey("Transfer-Encoding"))
      throw Problem.of(
          ProblemType.LENGTH_REQUIRED, "give a Content-Length, or send the body in chunks");
    long size = length == null ? maxBody : Long.parseLong(length);
    if (size > maxBody) throw tooLarge();
    return size;
  }

  private byte[] body(InputStream in) throws IOException {
    byte[] body = in.readNBytes(maxBody + 1);
    if (body.length > maxBody) throw tooLarge();
    return body;
  }

  private Problem tooLarge() {
    return Problem.of(
        ProblemType.TOO_LARGE,
        "a request's body has at most %d bytes; send several".formatted(maxBody));
  }

  private Reply one(Enqueued enqueued) {
    return new Reply(status(List.of(enqueued)), Reply.JSON, line(enqueued));
  }

  private Reply lines(List<Enqueued> enqueued) {
    String lines = enqueued.stream().map(TaskPost::line).collect(Collectors.joining());
    return new Reply(status(enqueued), Reply.LINES, lines);
  }

  /** 201 if there is something that was not there before. */
  private int status(List<Enqueued> enqueued) {
    int created = Math.toIntExact(enqueued.stream().filter(Enqueued::inserted).count());
    inserted.increment(created);
    there.increment(enqueued.size() - created);
    return created > 0 ? Reply.CREATED : Reply.OK;
  }

  private static String line(Enqueued enqueued) {
    return Receipts.line(enqueued);
  }
}
