package dev.dibs;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * What is kept by queue and kind where there must not be much of it, as the labels of meters: the
 * first pairs that come have their names, of later ones the kind is {@link #OTHER}, and so is the
 * queue if no pair of it came before.
 *
 * <p>Found by plain gets: it is asked several times a task. Thread-safe.
 */
public final class Labels<V> {
  /** What all are called that came too late for a name. */
  public static final String OTHER = "other";

  /** So many pairs have names; with what is {@link #OTHER} twice as many values and one. */
  public static final int NAMED = 100;

  private final BiFunction<String, String, V> maker;
  private final Map<String, Map<String, V>> values = new ConcurrentHashMap<>();
  private int named;
  private volatile boolean full;

  /**
   * Nothing yet.
   *
   * @param maker makes the value of a queue and a kind; what it throws is thrown to who asked
   */
  public Labels(BiFunction<String, String, V> maker) {
    this.maker = maker;
  }

  /** The value of this queue and kind, which they may share with others. */
  public V of(String queue, String kind) {
    @Nullable V found = find(queue, kind);
    if (found == null && full) found = find(values.containsKey(queue) ? queue : OTHER, OTHER);
    return found != null ? found : added(queue, kind);
  }

  private @Nullable V find(String queue, String kind) {
    @Nullable Map<String, V> kinds = values.get(queue);
    return kinds == null ? null : kinds.get(kind);
  }

  private synchronized V added(String queue, String kind) {
    String ownQueue = full && !values.containsKey(queue) ? OTHER : queue;
    String ownKind = full ? OTHER : kind;
    @Nullable V found = find(ownQueue, ownKind);
    if (found != null) return found;
    V made = maker.apply(ownQueue, ownKind);
    values.computeIfAbsent(ownQueue, any -> new ConcurrentHashMap<>()).put(ownKind, made);
    if (!full) full = ++named == NAMED;
    return made;
  }
}
