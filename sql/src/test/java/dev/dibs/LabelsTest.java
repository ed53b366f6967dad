package dev.dibs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;

class LabelsTest {
  private static final int MANY = 10_000;

  private final List<String> made = new ArrayList<>();
  private final Labels<LongAdder> labels =
      new Labels<>((queue, kind) -> {
        made.add(queue + "/" + kind);
        return new LongAdder();
      });

  @Test
  void fewPairs_haveTheirNames() {
    for (int i = 0; i < 3; i++) {
      labels.of("mail", "send").increment();
      labels.of("mail", "bounce").increment();
      labels.of("web", "send").increment();
    }
    assertThat(made).containsExactly("mail/send", "mail/bounce", "web/send");
    assertThat(labels.of("mail", "send").sum()).isEqualTo(3);
  }

  @Test
  void tenThousandKindsAndQueues_shareWhatThereIs() {
    for (int i = 0; i < MANY; i++) {
      labels.of("q" + i, "k" + i).increment();
      labels.of("q0", "k" + i).increment();
      labels.of("q" + i, "k0").increment();
      labels.of("q" + i % 100, "k" + i).increment();
    }
    assertThat(made).hasSizeLessThanOrEqualTo(2 * Labels.NAMED + 1).doesNotHaveDuplicates();
    Set<LongAdder> all = new HashSet<>();
    for (int i = 0; i < MANY; i++) {
      all.add(labels.of("q" + i, "k" + i));
      all.add(labels.of("q0", "k" + i));
      all.add(labels.of("q" + i, "k0"));
      all.add(labels.of("q" + i % 100, "k" + i));
    }
    assertThat(all.stream().mapToLong(LongAdder::sum).sum()).isEqualTo(4L * MANY);
    assertThat(made)
        .hasSizeLessThanOrEqualTo(2 * Labels.NAMED + 1)
        .contains("q0/other", "other/other");
  }

  @Test
  void aMakerThatThrows_leavesRoomForTheNext() {
    var once =
        new Labels<>((queue, kind) -> {
          if (kind.equals("bad")) throw new IllegalStateException(kind);
          return kind;
        });
    for (int i = 0; i < 2 * Labels.NAMED; i++)
      assertThatThrownBy(() -> once.of("q", "bad")).hasMessage("bad");
    assertThat(once.of("q", "good")).isEqualTo("good");
  }
}
