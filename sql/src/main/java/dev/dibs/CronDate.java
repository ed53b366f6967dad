package dev.dibs;

import java.time.LocalDate;
import java.time.Month;

/**
 * The days that a cron expression names: of the month and of the week where one of the two has a
 * star, else of either, as cron has always had it. Immutable.
 */
record CronDate(CronField dayOfMonth, CronField month, CronField dayOfWeek) {
  private static final int DAYS = 7;

  CronDate {
    if (needsBoth(dayOfMonth, dayOfWeek) && !exists(dayOfMonth, month))
      throw new IllegalArgumentException("no month it names has a day it names");
  }

  private static boolean needsBoth(CronField dayOfMonth, CronField dayOfWeek) {
    return dayOfMonth.starred() || dayOfWeek.starred();
  }

  private static boolean exists(CronField dayOfMonth, CronField month) {
    for (Month each : Month.values()) {
      if (month.has(each.getValue()) && dayOfMonth.first() <= each.maxLength()) return true;
    }
    return false;
  }

  boolean has(LocalDate date) {
    if (!month.has(date.getMonthValue())) return false;
    boolean ofMonth = dayOfMonth.has(date.getDayOfMonth());
    boolean ofWeek = dayOfWeek.has(date.getDayOfWeek().getValue() % DAYS);
    return needsBoth(dayOfMonth, dayOfWeek) ? ofMonth && ofWeek : ofMonth || ofWeek;
  }

  /**
   * The first that is not before {@code date}. There is one: each date falls on each day of the
   * week.
   */
  LocalDate from(LocalDate date) {
    LocalDate day = date;
    while (!has(day)) {
      day = month.has(day.getMonthValue()) ? day.plusDays(1) : day.plusMonths(1).withDayOfMonth(1);
    }
    return day;
  }
}
