package dev.dibs.console;

import dev.dibs.DibsException;

/**
 * A request that is not done, and what the person is told: the answer's status, what, and the way
 * out.
 */
final class Refusal extends DibsException {
  private final int status;
  private final String title;

  Refusal(int status, String title, String wayOut) {
    super(wayOut);
    this.status = status;
    this.title = title;
  }

  static Refusal badRequest(String why) {
    return new Refusal(400, "This address cannot be answered", why);
  }

  static Refusal forbidden(String why) {
    return new Refusal(403, "Not allowed", why);
  }

  static Refusal notFound(String why) {
    return new Refusal(404, "Not found", why);
  }

  int status() {
    return status;
  }

  String title() {
    return title;
  }
}
