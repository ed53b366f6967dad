package dev.dibs;

import java.util.UUID;

/**
 * Who asks for something to be done by hand, from where, and why: what the audit keeps. Immutable.
 *
 * @param id makes a request that is sent twice be done once: the second time answers what came of
 *     the first
 * @param actor who asks, as the program that asks for him knows him
 * @param source what program that is, and from where it is used: cli, console 10.1.4.9, java
 * @param why may be empty
 */
public record Request(UUID id, String actor, String source, String why) {
  private static final int LONGEST_NAME = 255;
  private static final int LONGEST_WHY = 2000;

  public Request {
    if (actor.isEmpty()) throw new IllegalArgumentException("actor must not be empty");
    check("actor", actor, LONGEST_NAME);
    check("source", source, LONGEST_NAME);
    check("why", why, LONGEST_WHY);
  }

  /** A request of its own. */
  public static Request of(String actor, String source, String why) {
    return new Request(UUID.randomUUID(), actor, source, why);
  }

  /** A request as the audit has it: SQL may have written what no program may send. */
  public static Request kept(UUID id, String actor, String source, String why) {
    return new Request(id, Text.storable(actor), Text.storable(source), Text.storable(why));
  }

  private static void check(String what, String text, int most) {
    int length = text.codePointCount(0, text.length());
    if (length > most)
      throw new IllegalArgumentException(
          "%s must have at most %d characters, has %d".formatted(what, most, length));
    if (!Text.storable(text).equals(text))
      throw new IllegalArgumentException(
          "%s must not hold control characters or lone surrogates: '%s'"
              .formatted(what, Text.cut(Text.storable(text), 40)));
  }
}
