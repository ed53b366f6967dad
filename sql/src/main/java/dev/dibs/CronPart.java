package dev.dibs;

import java.util.Locale;

/** The parts of a cron expression, each with the values it may take, and how they are read. */
enum CronPart {
  SECOND("second", 0, 59, ""),
  MINUTE("minute", 0, 59, ""),
  HOUR("hour", 0, 23, ""),
  DAY_OF_MONTH("day of month", 1, 31, ""),
  MONTH("month", 1, 12, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"),
  /** Sunday is 0 and 7. */
  DAY_OF_WEEK("day of week", 0, 7, "SUN MON TUE WED THU FRI SAT");

  private static final int SUNDAY_AGAIN = 7;
  private static final int NAME = 3;

  private final String title;
  private final int min;
  private final int max;

  /** Three letters each, with a blank between them. */
  private final String names;

  CronPart(String title, int min, int max, String names) {
    this.title = title;
    this.min = min;
    this.max = max;
    this.names = names;
  }

  /**
   * Reads one field: {@code *}, {@code 5}, {@code 1-5}, each of the two with {@code /n}, and lists
   * of them.
   *
   * @throws IllegalArgumentException if it is none, saying what was wrong with it
   */
  CronField read(String field) {
    long values = 0;
    for (String item : field.split(",", -1)) values |= values(item);
    return new CronField(this == DAY_OF_WEEK ? withOneSunday(values) : values, field.contains("*"));
  }

  private static long withOneSunday(long days) {
    long again = 1L << SUNDAY_AGAIN;
    return (days & again) == 0 ? days : (days ^ again) | 1;
  }

  private long values(String item) {
    String[] parts = item.split("/", -1);
    if (parts.length > 2) throw wrong(item, "has more than one '/'");
    String[] ends = parts[0].split("-", -1);
    boolean single = ends.length == 1 && !parts[0].equals("*");
    if (ends.length > 2) throw wrong(item, "has more than one '-'");
    if (single && parts.length == 2)
      throw wrong(item, "steps from one value; write %s-%d/%s".formatted(parts[0], max, parts[1]));
    int low = parts[0].equals("*") ? min : value(ends[0], item);
    int high = parts[0].equals("*") ? max : value(ends[ends.length - 1], item);
    if (this == DAY_OF_WEEK && high == 0 && low > 0) high = SUNDAY_AGAIN;
    if (low > high) throw wrong(item, "goes backwards; write it as two ranges");
    long values = 0;
    int step = step(parts, item);
    for (int value = low; value <= high; value += step) values |= 1L << value;
    return values;
  }

  private int step(String[] parts, String item) {
    if (parts.length == 1) return 1;
    int step = number(parts[1], item);
    if (step < 1 || step > max) throw wrong(item, "must step by 1 to " + max);
    return step;
  }

  private int value(String text, String item) {
    int value = isName(text) ? min + at(text) / (NAME + 1) : number(text, item);
    if (value < min || value > max) throw wrong(item, "must be %d to %d".formatted(min, max));
    return value;
  }

  private boolean isName(String text) {
    return text.length() == NAME && at(text) >= 0 && at(text) % (NAME + 1) == 0;
  }

  private int at(String name) {
    return names.indexOf(name.toUpperCase(Locale.ROOT));
  }

  private int number(String digits, String item) {
    if (!digits.matches("[0-9]{1,4}"))
      throw wrong(item, "is not understood; known are * , - / numbers" + known());
    return Integer.parseInt(digits);
  }

  private String known() {
    return names.isEmpty() ? "" : " and " + names;
  }

  private IllegalArgumentException wrong(String item, String why) {
    return new IllegalArgumentException("%s '%s' %s".formatted(title, item, why));
  }
}
