package dev.dibs.console;

import static java.time.Duration.ofMinutes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.console.testing.TestConsole;
import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What whoever reaches the login page can do to others: nothing. */
class LoginTriesTest {
  private static final Users USERS = TestConsole.USERS;
  private static final int FLOOD = 20_000;

  private final LoginTries tries = new LoginTries(() -> Instant.EPOCH);

  private void flood() {
    for (int i = 0; i < FLOOD; i++) tries.admit(USERS, "n" + i);
  }

  private long admitted(String name, int times) {
    return IntStream.range(0, times).filter(i -> tries.admit(USERS, name)).count();
  }

  @Test
  void flood_ofNamesThatNobodyHasLocksNobodyOut() {
    flood();
    assertThat(admitted("ada", 11)).isEqualTo(10);
    assertThat(admitted("nobody", 11)).as("they look alike").isEqualTo(10);
  }

  @Test
  void flood_ofNamesThatNobodyHasForgetsNoTryOfAUser() {
    assertThat(admitted("ada", 10)).isEqualTo(10);
    flood();
    assertThat(tries.admit(USERS, "ada")).isFalse();
    tries.forgive("ada");
    assertThat(tries.admit(USERS, "ada")).isTrue();
  }

  @Test
  void whatIsNoName_isNotKept() {
    assertThat(admitted("x".repeat(60_000), 11)).isEqualTo(11);
    assertThat(admitted("a b", 11)).isEqualTo(11);
  }

  @Test
  void throttle_forgetsTheNameThatWasNotTriedForLongest() {
    var throttle = new Throttle(1, ofMinutes(10), () -> Instant.EPOCH);
    assertThat(throttle.admits("first")).isTrue();
    assertThat(throttle.admits("second")).isTrue();
    for (int i = 0; i < 9_998; i++) assertThat(throttle.admits("n" + i)).isTrue();
    assertThat(throttle.admits("first")).as("kept").isFalse();
    assertThat(throttle.admits("one too many")).isTrue();
    assertThat(throttle.admits("first")).as("tried lately").isFalse();
    assertThat(throttle.admits("second")).as("forgotten").isTrue();
  }

  @Test
  void passwordThatIsTooLong_isRefusedAfterTheSameWork() {
    String longest = "p".repeat(256);
    Users users = Users.of(java.util.List.of(Users.line("ada", Role.ADMIN, longest)), "a test");
    assertThat(users.find("ada", longest)).isPresent();
    assertThat(users.find("ada", longest + "p")).isEmpty();
    assertThat(users.find("ada", "")).isEmpty();
    long asAny = // the least of some: the JIT may make the next one faster
        LongStream.generate(() -> work(users, "ada", "wrong")).limit(5).min().orElseThrow();
    assertThat(work(users, "ada", longest + "p")).isGreaterThan(asAny / 2);
    assertThat(work(users, "x".repeat(60_000), "y".repeat(60_000))).isGreaterThan(asAny / 2);
  }

  /** Of the processor, which others on the machine do not change much. */
  private static long work(Users users, String name, String password) {
    var threads = ManagementFactory.getThreadMXBean();
    long begin = threads.getCurrentThreadCpuTime();
    assertThat(users.find(name, password)).isEmpty();
    return threads.getCurrentThreadCpuTime() - begin;
  }
}
