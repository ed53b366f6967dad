package dev.dibs;

/** Turns payloads into JSON and back. Implementations are thread-safe. */
public interface Codec {
  /**
   * The JSON text of a payload.
   *
   * @throws PayloadException if it cannot be written, or PostgreSQL could not keep it
   */
  String encode(Object payload);

  /**
   * The payload of a JSON text, bound to the type its kind declares and to nothing the text names.
   *
   * @throws PayloadException if the text does not fit the type
   */
  <T> T decode(String json, Class<T> type);

  /**
   * JSON by Jackson: unknown fields are ignored, those that are missing become null, 0 or false; no
   * class names, no default typing.
   */
  static Codec jackson() {
    return JacksonCodec.INSTANCE;
  }
}
