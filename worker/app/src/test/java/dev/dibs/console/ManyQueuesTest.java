package dev.dibs.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.console.testing.Scene;
import dev.dibs.console.testing.TestConsole;
import dev.dibs.testing.TestDatabase;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** More queues than are looked at every few seconds: what was left out is said. */
@Timeout(60)
class ManyQueuesTest {
  private static TestDatabase database;
  private static TestConsole console;
  private static Client client;

  /** 204 queues that are served, and one at the end that is paused. */
  @BeforeAll
  static void start() {
    database = TestDatabase.create();
    database.execute(
        """
        insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, lease_until)
        select gen_random_uuid(), 'h', 1, '1', array_agg('q' || lpad(n::text, 3, '0')), '{k}', 20,
          clock_timestamp() + interval '1 hour'
        from generate_series(1, 204) n\
        """);
    Scene.on(database)
        .pause("queue", "zz", "ana", "INC-204: the card network is down")
        .waiting(3, "zz", "k", 3, "1 second");
    console = TestConsole.local(database, Role.ADMIN);
    client = new Client(console.url()).looked();
  }

  @AfterAll
  static void stop() {
    client.close();
    console.close();
    database.close();
  }

  @Test
  void overview_vouchesForNoQueueThatItDidNotLookAt() {
    assertThat(client.get("/").body())
        .contains("Looked at 200 of 205 queues", ">200 of 205 queues</a>", " 0+ in 24 h")
        .doesNotContain("✓ Nothing needs you", "all 200");
  }

  @Test
  void queues_saysThatThereAreMore() {
    assertThat(client.get("/queues").body())
        .contains("Looked at 200 of 205 queues", "/queues/q200\"")
        .doesNotContain("/queues/q201\"");
    assertThat(client.get("/queues?q=zz").body())
        .contains("200 of 205 queues", "No queue of those begins with zz", "href=\"/queues/zz\"")
        .doesNotContain("No queue begins with");
  }

  @Test
  void queue_isLookedAtWhereTheSampleLeftItOut() {
    assertThat(client.get("/queues/zz").body())
        .contains("Paused by ana", "INC-204", "Resume…", "0 / 0 / 3 / 0", "It has no chart")
        .doesNotContain("Nothing is known");
    assertThat(client.get("/queues/zz/confirm?do=resume").body())
        .contains("It is paused now, by ana", "3 ready tasks will be claimed again");
    assertThat(client.get("/queues/q204").body())
        .contains("Waiting by priority", "active")
        .doesNotContain("Nothing is known");
    assertThat(client.get("/queues/none").body()).contains("Nothing is known");
    assertThat(client.get("/queues/q001").body()).doesNotContain("It has no chart");
  }
}
