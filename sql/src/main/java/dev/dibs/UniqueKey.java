package dev.dibs;

import java.util.HashSet;
import java.util.List;

/**
 * What makes a task the same as another one of its queue: a key that is given, or one that is made
 * of fields of the payload.
 */
public sealed interface UniqueKey {
  /** The longest key, in characters; with the queue it must fit into an index. */
  int MAX_LENGTH = 255;

  /**
   * The key of a task of {@code kind} whose payload is this JSON text.
   *
   * @throws PayloadException if the payload has no such fields because it is no object
   */
  String of(String kind, String payload);

  /**
   * A key as it is, 1 to 255 characters. Keys of different kinds are told apart by their text only,
   * so put what they are about in front: {@code invoice-42}.
   */
  record Given(String key) implements UniqueKey {
    public Given {
      int length = key.codePointCount(0, key.length());
      if (length < 1 || length > MAX_LENGTH)
        throw new IllegalArgumentException(
            "a unique key must have 1 to %d characters, '%s' has %d"
                .formatted(MAX_LENGTH, Text.cut(Text.storable(key), 40), length));
      if (!Text.storable(key).equals(key))
        throw new IllegalArgumentException(
            "a unique key must not hold control characters or lone surrogates: '%s'"
                .formatted(Text.storable(key)));
    }

    @Override
    public String of(String kind, String payload) {
      return key;
    }
  }

  /**
   * The kind and what the payload, a JSON object, holds in these of its fields; a field that is
   * missing counts as null. What matters is the value, not how it is written: {@code 1.0} is {@code
   * 1}, and the order of an object's fields is none.
   */
  record OfFields(List<String> names) implements UniqueKey {
    public OfFields {
      names = List.copyOf(names);
      if (names.isEmpty())
        throw new IllegalArgumentException("a unique key needs at least one field of the payload");
      if (new HashSet<>(names).size() < names.size())
        throw new IllegalArgumentException(
            "a unique key names a field of the payload twice: " + names);
    }

    @Override
    public String of(String kind, String payload) {
      return FieldsKey.of(kind, payload, names);
    }
  }
}
