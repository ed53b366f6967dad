package dev.dibs;

import java.util.List;

/**
 * What a bulk would do, before it does anything. Immutable.
 *
 * @param frozen what the preview saw, opaque: tasks that came or changed later are left alone
 * @param sample some of the tasks: the first, and others spread over the counted ones
 */
public record BulkPreview(BulkOrder order, String frozen, Count count, List<TaskRow> sample) {
  /**
   * How many tasks.
   *
   * @param tasks as far as they were counted
   */
  public record Count(long tasks, Exactness exactness) {
    /** Such as 1,204, 10,000+ or not counted. */
    public String text() {
      return switch (exactness) {
        case EXACT -> String.format(java.util.Locale.ROOT, "%,d", tasks);
        case AT_LEAST -> String.format(java.util.Locale.ROOT, "%,d+", tasks);
        case NOT_COUNTED -> "not counted within 2 s";
      };
    }
  }

  /** What a count is worth. */
  public enum Exactness {
    EXACT,
    AT_LEAST,
    /** It took too long, which is no reason not to begin. */
    NOT_COUNTED
  }

  public BulkPreview {
    sample = List.copyOf(sample);
  }
}
