package dev.dibs.worker;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ComplaintsTest {
  private final Complaints complaints = new Complaints();

  @Test
  void anErrorThatNeverEnds_isSaidOnceAMinute() {
    int said = 0;
    for (int second = 0; second < 600; second++)
      if (complaints.isNews("claim 53300", ofSeconds(second).toNanos())) said++;
    assertThat(said).isEqualTo(10);
  }

  @Test
  void anotherError_isSaidAtOnce() {
    assertThat(complaints.isNews("claim 53300", 0)).isTrue();
    assertThat(complaints.isNews("claim 53100", 1)).isTrue();
    assertThat(complaints.isNews("claim 53300", 2)).isFalse();
  }
}
