package dev.dibs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class WordsTest {
  record Point(int x, int y) {}

  @Test
  void ids_areOfVersionSevenAndOnlyGrow() {
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) ids.add(Uuid7.next());
    assertThat(ids).isSorted().doesNotHaveDuplicates();
    assertThat(ids).allSatisfy(id -> assertThat(id.version()).isEqualTo(7));
    assertThat(ids).allSatisfy(id -> assertThat(id.variant()).isEqualTo(2));
    long millis = ids.getFirst().getMostSignificantBits() >>> 16;
    assertThat(millis)
        .isCloseTo(System.currentTimeMillis(), org.assertj.core.data.Offset.offset(60_000L));
  }

  @Test
  void text_losesOnlyWhatPostgresRefuses() {
    assertThat(Text.storable("a\u0000b\ud800c\t\n😀")).isEqualTo("a\ufffdb\ufffdc\t\n😀");
    assertThat(Text.storable("plain")).isSameAs("plain");
    assertThat(Text.cut("abc", 3)).isEqualTo("abc");
    assertThat(Text.cut("ab😀", 3)).isEqualTo("ab…");
  }

  record Route(String name, List<Point> points, Map<String, Integer> tolls) {}

  @Test
  void codec_saysWhereAPayloadDoesNotFitAndNothingOfIt() {
    Codec codec = Codec.jackson();
    assertThatThrownBy(
            () -> codec.decode("{\"points\":[{\"x\":1},{\"x\":\"secret\"}]}", Route.class))
        .isInstanceOf(PayloadException.class)
        .hasMessage(
            "the payload does not fit dev.dibs.WordsTest$Route at points[].x, where int is wanted");
    assertThatThrownBy(() -> codec.decode("{\"tolls\":{\"secret\":\"secret\"}}", Route.class))
        .hasMessageContaining(" at tolls")
        .hasMessageNotContaining("secret");
  }

  @Test
  void codec_bindsToTheDeclaredTypeAndNothingElse() {
    Codec codec = Codec.jackson();
    assertThat(codec.encode(new Point(1, 2))).isEqualTo("{\"x\":1,\"y\":2}");
    assertThat(
            codec.decode("{\"x\":1,\"y\":2,\"@class\":\"java.lang.ProcessBuilder\"}", Point.class))
        .isEqualTo(new Point(1, 2));
    assertThatThrownBy(() -> codec.decode("\"secret\"", Point.class))
        .isInstanceOf(PayloadException.class)
        .hasMessageNotContaining("secret");
  }

  @Test
  void aTaskInAnotherQueue_isAnotherTask() {
    NewTask<Json> task = Kind.json("k").task(new Json("1")).queue("a");
    assertThat(task.queue("b").id()).isNotEqualTo(task.id());
    assertThat(task.queue("a").id()).isEqualTo(task.id());
    assertThat(task.maxAttempts(3).id()).isEqualTo(task.id());
  }

  @Test
  void timeout_isOneThatAClockCanCount() {
    NewTask<Json> task = Kind.json("k").task(new Json("1"));
    for (Duration odd : List.of(Duration.ofNanos(500), Duration.ofDays(36_001)))
      assertThatThrownBy(() -> task.timeout(odd)).hasMessageContaining(odd.toString());
  }

  @Test
  void messages_neverHoldThePayload() {
    NewTask<Json> task = Kind.json("k").task(new Json("\"canary\""));
    assertThat(task.toString() + task.payload()).doesNotContain("canary");
    assertThatThrownBy(() -> Codec.jackson().encode(new Json("{\"canary\" 1}")))
        .hasMessageNotContaining("canary");
  }

  @Test
  void priority_isReadByNameOrLevelInAnyLocale() {
    assertThat(Priority.parse("high")).isEqualTo(Priority.HIGH);
    assertThat(Priority.parse("4")).isEqualTo(Priority.LOW);
    assertThat(Priority.parse("LOW".toLowerCase(Locale.ROOT))).isEqualTo(Priority.LOW);
    assertThatThrownBy(() -> Priority.parse("soon")).hasMessageContaining("'soon'");
    assertThatThrownBy(() -> Priority.ofLevel(5)).hasMessageContaining("was 5");
  }

  @Test
  void outcomes_refuseWaitsThatCannotBeMeant() {
    assertThatThrownBy(() -> Outcome.snooze(Duration.ofSeconds(-1))).hasMessageContaining("PT-1S");
    assertThatThrownBy(() -> Outcome.retry(Duration.ofDays(366), "x"))
        .hasMessageContaining("365 days");
  }
}
