package dev.dibs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class UniqueKeyTest {
  private static String key(String payload, String... fields) {
    return new UniqueKey.OfFields(List.of(fields)).of("kind", payload);
  }

  @Test
  void aKeyOfFields_seesValuesAndNotTheirSpelling() {
    String one = key("{\"a\":1,\"b\":{\"x\":[1,\"z\"],\"y\":null}}", "a", "b");
    assertThat(key("{\"c\":9, \"b\":{\"y\":null,\"x\":[1.0,\"\\u007a\"]}, \"a\":10e-1}", "a", "b"))
        .isEqualTo(one);
    assertThat(key("{\"a\":-0.0}", "a")).isEqualTo(key("{\"a\":0}", "a"));
  }

  @Test
  void aKeyOfFields_differsWhereAValueOrItsPlaceDoes() {
    assertThat(
            List.of(
                key("{\"a\":1,\"b\":2}", "a", "b"),
                key("{\"a\":2,\"b\":1}", "a", "b"),
                key("{\"a\":1,\"b\":2}", "b", "a"),
                key("{\"a\":\"1\",\"b\":2}", "a", "b"),
                key("{\"a\":[1],\"b\":2}", "a", "b"),
                key("{\"a\":1,\"b\":2}", "a"),
                key("{\"a\":true}", "a"),
                key("{\"a\":\"true\"}", "a"),
                key("{\"a\":{}}", "a"),
                key("{\"a\":[]}", "a"),
                new UniqueKey.OfFields(List.of("a")).of("other", "{\"a\":1}")))
        .doesNotHaveDuplicates();
  }

  @Test
  void aKeyOfFields_isShortAndShowsNothingOfThePayload() {
    String key = key("{\"a\":\"" + "secret".repeat(1_000) + "\"}", "a");
    assertThat(key).startsWith("kind:").hasSize("kind:".length() + 43).doesNotContain("secret");
  }

  @Test
  void aPayloadThatLacksAField_isRefused() {
    assertThat(key("{\"a\":1,\"b\":null}", "a", "b")).isNotEqualTo(key("{\"a\":1}", "a"));
    assertThatThrownBy(() -> key("{\"a\":1}", "a", "b"))
        .isInstanceOf(PayloadException.class)
        .hasMessageContaining("kind 'kind' has no field 'b'")
        .hasMessageContaining("null is a value");
  }

  @Test
  void aPayloadThatIsNotRead_isRefusedWithoutShowingIt() {
    for (String payload : List.of("[\"secret\"]", "\"secret\"", "{\"secret\":", ""))
      assertThatThrownBy(() -> key(payload, "a"))
          .isInstanceOf(PayloadException.class)
          .hasMessageContaining("kind 'kind'")
          .hasMessageNotContaining("secret");
  }
}
