package dev.dibs.app;

import java.util.Locale;

/**
 * What a request to the gateway can meet: each kind has a name of its own, clients may rely on it.
 */
enum ProblemType {
  INVALID_TASK(400, "The task is not valid"),
  UNAUTHORIZED(401, "A token is needed"),
  FOREIGN_QUEUE(403, "The token does not cover the queue"),
  FOREIGN_HOST(403, "The request names a host that this gateway is not"),
  NO_SUCH_PATH(404, "There is nothing here"),
  WRONG_METHOD(405, "The method is not known here"),
  LENGTH_REQUIRED(411, "The request says nothing of its body"),
  TOO_LARGE(413, "The request or a payload is too large"),
  WRONG_MEDIA_TYPE(415, "The body is of a kind that is not read here"),
  REFUSED(422, "The database refused the task"),
  OVERLOADED(429, "Too much is in flight"),
  TOO_FAST(429, "The token has used up its rate"),
  HEADERS_TOO_LARGE(431, "The headers are too large"),
  FAILED(500, "The gateway or its database is not set up for this"),
  DATABASE_AWAY(503, "The database cannot be reached"),
  OUTCOME_UNKNOWN(503, "Whether the task was enqueued is unknown"),
  STOPPING(503, "The gateway is stopping");

  private final int status;
  private final String title;

  ProblemType(int status, String title) {
    this.status = status;
    this.title = title;
  }

  int status() {
    return status;
  }

  String title() {
    return title;
  }

  /** Its name, as answers and meters show it. */
  String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  String uri() {
    return "urn:dibs:problem:" + label();
  }
}
