package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TextTableTest {
  @Test
  void lines_alignNumbersToTheRightAndTextToTheLeft() {
    var table = new TextTable("NAME", "TASKS", "WHY").add("a", 7, "").add("höher", 12_345, "x");
    assertThat(table.lines())
        .containsExactly("NAME   TASKS  WHY", "a          7", "höher  12345  x");
  }

  @Test
  void lines_holdNoControlCharacters() {
    var table = new TextTable("NAME").add("a\nb\u001b[31m");
    assertThat(table.lines()).containsExactly("NAME", "a b\uFFFD[31m");
  }
}
