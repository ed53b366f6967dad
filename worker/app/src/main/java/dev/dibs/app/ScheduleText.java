package dev.dibs.app;

import dev.dibs.Rhythm;
import dev.dibs.Schedule;
import dev.dibs.Scheduled;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Schedules as people and machines read them. Payloads are not shown. */
final class ScheduleText {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final DateTimeFormatter SECONDS =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ssxxx");

  private ScheduleText() {}

  static String rhythm(Rhythm rhythm) {
    return switch (rhythm) {
      case Rhythm.Cron(var expression, var zone) -> expression + " " + zone.getId();
      case Rhythm.Every(var interval) -> "every " + DurationText.write(interval);
    };
  }

  /** A tick as the schedule's clock shows it, with its offset. */
  static String tick(Schedule schedule, Instant tick) {
    ZoneId zone =
        switch (schedule.rhythm()) {
          case Rhythm.Cron(var expression, var there) -> there;
          case Rhythm.Every every -> ZoneOffset.UTC;
        };
    return tick(tick, zone);
  }

  /** A tick as the clocks of a zone show it. */
  static String tick(Instant tick, ZoneId zone) {
    return SECONDS.format(tick.atZone(zone));
  }

  static String state(Scheduled scheduled) {
    return scheduled
        .pause()
        .map(pause -> "paused by " + pause.by() + ": " + pause.why())
        .orElse("active");
  }

  /** One line. */
  static String json(Scheduled scheduled) {
    Schedule schedule = scheduled.schedule();
    var options = schedule.task().options();
    ObjectNode node = JSON.createObjectNode().put("name", schedule.name());
    switch (schedule.rhythm()) {
      case Rhythm.Cron(var expression, var zone) ->
          node.put("cron", expression).put("zone", zone.getId());
      case Rhythm.Every(var interval) -> node.put("everySeconds", interval.toSeconds());
    }
    node.put("kind", schedule.task().kind().name())
        .put("queue", options.queue())
        .put("priority", options.priority().level())
        .put("maxAttempts", options.maxAttempts())
        .put("misfire", schedule.policy().misfire().text())
        .put("overlap", schedule.policy().overlap().text())
        .put("jitterSeconds", schedule.policy().jitter().toMillis() / 1e3)
        .put("version", schedule.version())
        .put("nextTick", scheduled.nextTick().toString());
    scheduled.lastTick().ifPresent(tick -> node.put("lastTick", tick.toString()));
    scheduled
        .pause()
        .ifPresent(pause ->
            node.putObject("paused")
                .put("at", pause.at().toString())
                .put("by", pause.by())
                .put("why", pause.why()));
    return node.toString();
  }

  /** One line. */
  static String json(Schedule schedule, Instant tick) {
    return JSON.createObjectNode()
        .put("tick", tick.toString())
        .put("local", tick(schedule, tick))
        .toString();
  }
}
