package dev.dibs.worker;

/**
 * Brings handlers from a jar: {@code dibs worker --handlers DIR} finds implementations by {@link
 * java.util.ServiceLoader}.
 */
public interface HandlerProvider {
  /** Adds this jar's handlers and declares its schedules. */
  void provide(Handlers handlers);
}
