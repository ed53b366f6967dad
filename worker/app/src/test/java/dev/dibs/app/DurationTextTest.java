package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DurationTextTest {
  @ParameterizedTest
  @CsvSource({
    "250ms,PT0.25S",
    "30s,PT30S",
    "5m,PT5M",
    "2h,PT2H",
    "1d,PT24H",
    "1h30m,PT1H30M",
    "PT5M,PT5M",
    "P2D,P2D"
  })
  void parse_readsWhatPeopleWrite(String text, String duration) {
    assertThat(DurationText.parse(text)).isEqualTo(Duration.parse(duration));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "5",
        "m",
        "5 m",
        "5w",
        "1.5h",
        "99999999999999999999s",
        "9223372036854775807d"
      })
  void parse_refusesTheRestWithTheValue(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DurationText.parse(text))
        .withMessageContaining("'" + text + "'");
  }

  @ParameterizedTest
  @CsvSource({"PT0.42S,0.4s", "PT59.9S,59.9s", "PT3M20S,3m 20s", "PT5H,5h 0m", "PT50H,2d 2h"})
  void show_isShort(String duration, String text) {
    assertThat(DurationText.show(Duration.parse(duration))).isEqualTo(text);
  }
}
