package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DatabaseUrlTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "postgresql://me:p%40ss+word@host:5433/db?sslmode=require",
        "postgres://me:p%40ss+word@host:5433/db?sslmode=require",
        "jdbc:postgresql://me:p%40ss+word@host:5433/db?sslmode=require"
      })
  void libpqUrl_isTranslated(String text) {
    var url = DatabaseUrl.parse(text);
    assertThat(url.jdbc()).isEqualTo("jdbc:postgresql://host:5433/db?sslmode=require");
    assertThat(url.user()).contains("me");
    assertThat(url.password()).contains("p@ss+word");
  }

  @Test
  void jdbcUrl_isTakenAsItIs() {
    var url =
        DatabaseUrl.parse("jdbc:postgresql://a:1,b:2/db?user=me&password=hunter2&socketTimeout=7");
    assertThat(url.jdbc()).endsWith("//a:1,b:2/db?user=me&password=hunter2&socketTimeout=7");
    assertThat(url.sets("socketTimeout")).isTrue();
    assertThat(url.sets("connectTimeout")).isFalse();
    assertThat(url)
        .hasToString("jdbc:postgresql://a:1,b:2/db?user=me&password=***&socketTimeout=7");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "localhost",
        "mysql://me:hunter2@h/d",
        "jdbc:postgresql:",
        "postgresql://me:hunter2@x:port/d"
      })
  void others_areRefusedWithoutTheirPassword(String text) {
    assertThatThrownBy(() -> DatabaseUrl.parse(text))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("--database-url")
        .message()
        .doesNotContain("hunter2");
  }
}
