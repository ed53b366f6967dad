package dev.dibs.app;

/**
 * What the gateway takes. Immutable.
 *
 * @param maxBody bytes of a request's body; 1 KiB to 64 MiB
 * @param maxPayload bytes of one payload; at most 16 MiB
 * @param maxRequests in flight at once; 1 to 10,000
 * @param connections to the database; 4 to 100
 */
record GatewaySettings(int maxBody, int maxPayload, int maxRequests, int connections) {
  static final GatewaySettings DEFAULT = new GatewaySettings(1 << 20, 256 << 10, 256, 4);

  /** Bodies in memory at once, where each were as large as it may be. */
  private static final int LARGEST_BODIES = 64;

  /** In one request. */
  static final int MOST_TASKS = 10_000;

  GatewaySettings {
    requireBetween("--max-body", maxBody, 1 << 10, 64 << 20);
    requireBetween("--max-payload", maxPayload, 1, 16 << 20);
    requireBetween("--max-requests", maxRequests, 1, 10_000);
    requireBetween("--connections", connections, 4, 100);
  }

  private static void requireBetween(String what, int value, int min, int max) {
    if (value < min || value > max)
      throw new IllegalArgumentException(
          "%s must be between %d and %d, was %d".formatted(what, min, max, value));
  }

  /** Bytes of all bodies in flight. */
  long maxBodies() {
    return (long) maxBody * Math.min(maxRequests, LARGEST_BODIES);
  }

  GatewaySettings withMaxRequests(int maxRequests) {
    return new GatewaySettings(maxBody, maxPayload, maxRequests, connections);
  }
}
