package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class HttpUrlTest {
  private static void assertWithin(String prefix, String... urls) {
    for (String url : urls) {
      assertThat(HttpUrl.parse(url).isWithin(HttpUrl.prefix(prefix))).as(url).isTrue();
    }
  }

  private static void assertOutside(String prefix, String... urls) {
    for (String url : urls) {
      assertThat(HttpUrl.parse(url).isWithin(HttpUrl.prefix(prefix))).as(url).isFalse();
    }
  }

  @Test
  void isWithin_comparesOriginsAsAWhole() {
    assertWithin(
        "http://localhost:8080",
        "http://localhost:8080",
        "http://localhost:8080/any?q=1#f",
        "HTTP://LOCALHOST:8080/");
    assertOutside(
        "http://localhost:8080",
        "http://localhost:8081/",
        "http://localhost:18080/",
        "http://localhost:808/",
        "http://localhost/",
        "https://localhost:8080/",
        "http://localhost.evil:8080/",
        "http://localhost.:8080/",
        "http://127.0.0.1:8080/");
  }

  @Test
  void isWithin_knowsTheDefaultPorts() {
    assertWithin("https://Example.org/", "https://example.org:443/x");
    assertWithin("http://example.org:80/", "http://EXAMPLE.org");
    assertOutside("https://example.org/", "https://example.org:80/", "http://example.org:443/");
    assertWithin("http://[::1]:8080/", "http://[::1]:8080/x");
  }

  @Test
  void isWithin_endsAtASegment() {
    assertWithin(
        "https://h/hooks",
        "https://h/hooks",
        "https://h/hooks?x",
        "https://h/hooks/",
        "https://h/hooks/a");
    assertOutside(
        "https://h/hooks",
        "https://h/hooksevil",
        "https://h/",
        "https://h",
        "https://h/Hooks",
        "https://h/x/hooks");
    assertWithin("https://h/hooks/", "https://h/hooks/", "https://h/hooks/a");
    assertOutside("https://h/hooks/", "https://h/hooks", "https://h/hooksevil/");
  }

  @Test
  void parse_refusesWhatTwoProgramsMayReadInTwoWays() {
    for (String url :
        List.of(
            "http://localhost:8080@evil/",
            "http://localhost:8080%40evil/",
            "http://user:secret@localhost:8080/",
            "http://@localhost:8080/",
            "http://localhost:80801/",
            "http://localhost:0/",
            "http://localhost:8080/hooks/../admin",
            "http://localhost:8080/hooks/%2e%2E/admin",
            "http://localhost:8080/hooks/.%2e/admin",
            "http://localhost:8080/hooks/..%2fadmin",
            "http://localhost:8080/hooks%5c..%5cadmin",
            "http://localhost:8080/hooks/..;x=1/admin",
            "http://localhost:8080/hooks/./admin",
            "http://localhost:8080/hooks/..",
            "http://localhost:8080\\@evil/",
            "http://local host/",
            "http://",
            "http:///path",
            "http:localhost",
            "//localhost:8080/",
            "/hooks",
            "file:///etc/passwd",
            "ftp://localhost:8080/",
            "jar:http://localhost:8080/x!/y",
            "")) {
      assertThatThrownBy(() -> HttpUrl.parse(url))
          .as(url)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageNotContaining("secret");
    }
  }

  @Test
  void prefix_refusesQueriesAndShowsNoPassword() {
    assertThatThrownBy(() -> HttpUrl.prefix("https://h/?q"))
        .hasMessageContaining("https://h/?q")
        .hasMessageContaining("no query");
    assertThatThrownBy(() -> HttpUrl.prefix("https://user:secret@h/"))
        .hasMessageNotContaining("secret");
  }

  @Test
  void toString_keepsTokensInPathsAndQueries() {
    assertThat(HttpUrl.parse("https://h/token?secret=1")).hasToString("https://h:443");
  }
}
