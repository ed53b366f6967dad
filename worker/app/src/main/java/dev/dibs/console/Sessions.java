package dev.dibs.console;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Who is logged in: half an hour after their last request, twelve hours in all. The secret is in
 * the browser alone, here is its hash. Ends with the process. Thread-safe.
 */
final class Sessions {
  private static final Duration IDLE = Duration.ofMinutes(30);
  private static final Duration TOTAL = Duration.ofHours(12);
  private static final int MOST = 10_000;

  private record Session(Visitor visitor, Instant begun, Instant seen) {
    boolean isOver(Instant now) {
      return now.isAfter(seen.plus(IDLE)) || now.isAfter(begun.plus(TOTAL));
    }
  }

  private final Map<String, Session> sessions = new ConcurrentHashMap<>();
  private final InstantSource clock;

  Sessions(InstantSource clock) {
    this.clock = clock;
  }

  /** Logs in; the answer is the secret of the new session. */
  String open(Visitor visitor) {
    Instant now = clock.instant();
    if (sessions.size() >= MOST) sessions.values().removeIf(session -> session.isOver(now));
    if (sessions.size() >= MOST)
      throw new Refusal(503, "Too many sessions", "Try again in a while.");
    String secret = Secrets.random();
    sessions.put(hash(secret), new Session(visitor, now, now));
    return secret;
  }

  /** Who that is, who thereby stays for another while. */
  Optional<Visitor> visit(String secret) {
    Instant now = clock.instant();
    Session session =
        sessions.computeIfPresent(
            hash(secret),
            (hash, old) -> old.isOver(now) ? null : new Session(old.visitor(), old.begun(), now));
    return Optional.ofNullable(session).map(Session::visitor);
  }

  /** Whether the session goes on; asking does not prolong it. */
  boolean isOpen(String secret) {
    Session session = sessions.get(hash(secret));
    return session != null && !session.isOver(clock.instant());
  }

  void close(String secret) {
    sessions.remove(hash(secret));
  }

  /** Ends every session of that name, on whatever machine. */
  void closeAllOf(String name) {
    sessions.values().removeIf(session -> session.visitor().name().equals(name));
  }

  private static String hash(String secret) {
    return Secrets.sha256(secret.getBytes(StandardCharsets.UTF_8));
  }
}
